#pragma once
#include <qpdf/Constants.h>
#include <qpdf/qpdf-c.h>
