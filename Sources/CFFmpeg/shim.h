// What Swift needs of FFmpeg: its headers, and the few macros that the importer leaves out because they are
// function-like, build on FFERRTAG, or cast.
#pragma once
#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/display.h>
#include <libavutil/hdr_dynamic_metadata.h>
#include <libavutil/hwcontext.h>
#include <libavutil/imgutils.h>
#include <libavutil/mastering_display_metadata.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libavutil/sha.h>
#include <libswscale/swscale.h>

// AVERROR() negates errno codes; the importer skips function-like macros.
static inline int cffmpeg_error(int code) { return AVERROR(code); }
static inline int cffmpeg_error_eof(void) { return AVERROR_EOF; }
static inline int cffmpeg_error_invalid_data(void) { return AVERROR_INVALIDDATA; }
// A cast of a 64 bit literal.
static inline int64_t cffmpeg_no_pts(void) { return AV_NOPTS_VALUE; }
// MKTAG is function-like.
static inline uint32_t cffmpeg_tag(char a, char b, char c, char d) { return MKTAG(a, b, c, d); }
// Arrays of plane pointers are imported as tuples, which cannot be indexed.
static inline uint8_t *cffmpeg_plane(const AVFrame *frame, int index) { return frame->data[index]; }
static inline int cffmpeg_stride(const AVFrame *frame, int index) { return frame->linesize[index]; }
static inline void cffmpeg_set_plane(AVFrame *frame, int index, uint8_t *data, int stride, AVBufferRef *owner) {
  frame->data[index] = data;
  frame->linesize[index] = stride;
  frame->buf[index] = owner;
}
