#pragma once
#include <leptonica/allheaders.h>
// mallopt, which Swift's own C library module leaves out.
#include <malloc.h>
#include <tesseract/capi.h>
