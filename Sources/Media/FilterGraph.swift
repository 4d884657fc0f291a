import CFFmpeg
import Frames

/// A chain of libavfilter's filters with one way in and one way out: `bwdif=mode=send_frame`. Used by one thread.
public final class FilterGraph {
  /// What comes out.
  public private(set) var output: StreamFormat
  private let graph: UnsafeMutablePointer<AVFilterGraph>
  private var source: UnsafeMutablePointer<AVFilterContext>
  private var sink: UnsafeMutablePointer<AVFilterContext>
  private let input: StreamFormat
  private let format: AVPixelFormat
  private let importer = PictureImporter(isStill: false)
  /// Side data goes round the filters, which lose some of it, by time.
  private var sideData: [Int64: [FrameSideData]] = [:]
  /// Is told what the filters have to say about each frame that comes out.
  var onMetadata: (([String: String]) -> Void)?

  /// - Parameter description: in libavfilter's own language. Throws a `Failure` where it does not accept it.
  public init(_ description: String, input: StreamFormat, threads: Int) throws {
    FFmpeg.prepare()
    guard let format = input.pixelFormat.av else { throw Failure("\(description) cannot take \(input.pixelFormat)") }
    guard let graph = avfilter_graph_alloc() else { throw Failure.outOfMemory }
    (self.graph, self.input, self.format, output) = (graph, input, format, input)
    graph.pointee.nb_threads = Int32(clamping: max(threads, 1))
    let aspect = input.sampleAspectRatio.isValid ? input.sampleAspectRatio.av : AVRational(num: 0, den: 1)
    let timeBase = input.timeBase.av
    var arguments =
      "video_size=\(input.width)x\(input.height):pix_fmt=\(format.rawValue)"
      + ":time_base=\(timeBase.num)/\(timeBase.den):pixel_aspect=\(aspect.num)/\(aspect.den)"
    if let rate = input.frameRate?.av { arguments += ":frame_rate=\(rate.num)/\(rate.den)" }
    var ends: (UnsafeMutablePointer<AVFilterContext>?, UnsafeMutablePointer<AVFilterContext>?) = (nil, nil)
    func failed(_ code: Int32) -> Failure {
      var graph: UnsafeMutablePointer<AVFilterGraph>? = graph
      avfilter_graph_free(&graph)
      return FFmpeg.failure("the filter '\(description)' cannot be set up", code, place: "")
    }
    FFmpegLog.shared.clear()
    var code = avfilter_graph_create_filter(&ends.0, avfilter_get_by_name("buffer"), "in", arguments, nil, graph)
    guard code >= 0, let first = ends.0 else { throw failed(code) }
    code = avfilter_graph_create_filter(&ends.1, avfilter_get_by_name("buffersink"), "out", nil, nil, graph)
    guard code >= 0, let last = ends.1 else { throw failed(code) }
    (source, sink) = (first, last)
    var into = avfilter_inout_alloc()
    var from = avfilter_inout_alloc()
    defer {
      avfilter_inout_free(&into)
      avfilter_inout_free(&from)
    }
    from?.pointee.name = av_strdup("in")
    from?.pointee.filter_ctx = first
    into?.pointee.name = av_strdup("out")
    into?.pointee.filter_ctx = last
    code = avfilter_graph_parse_ptr(graph, description, &into, &from, nil)
    if code >= 0 { code = avfilter_graph_config(graph, nil) }
    guard code >= 0 else { throw failed(code) }

    let made = AVPixelFormat(av_buffersink_get_format(last))
    output.width = Int(av_buffersink_get_w(last))
    output.height = Int(av_buffersink_get_h(last))
    output.pixelFormat = try PixelFormat(holding: made)
    output.sampleAspectRatio = Rational(av_buffersink_get_sample_aspect_ratio(last))
    if !output.sampleAspectRatio.isValid { output.sampleAspectRatio = input.sampleAspectRatio }
    let rate = Rational(av_buffersink_get_frame_rate(last))
    if rate.isValid { output.frameRate = rate }
  }

  deinit {
    var graph: UnsafeMutablePointer<AVFilterGraph>? = graph
    avfilter_graph_free(&graph)
  }

  /// Filters a frame, or what is held back where it is nil. Times stay in the input's time base.
  public func filter(_ frame: Frame?, emit: (Frame) throws -> Void) throws {
    var code: Int32
    if let frame {
      let handle = try FrameHandle(lending: frame.picture, as: format)
      handle.pointer.pointee.pts = Int64(frame.timestamp.value)
      handle.pointer.pointee.pkt_duration = Int64(frame.duration ?? 0)
      handle.pointer.pointee.interlaced_frame = frame.fields == .topFirst || frame.fields == .bottomFirst ? 1 : 0
      handle.pointer.pointee.top_field_first = frame.fields == .bottomFirst ? 0 : 1
      if input.sampleAspectRatio.isValid { handle.pointer.pointee.sample_aspect_ratio = input.sampleAspectRatio.av }
      frame.picture.colour.apply(to: handle.pointer)
      if !frame.sideData.isEmpty {
        sideData[Int64(frame.timestamp.value)] = frame.sideData
        // Frames that the filters drop leave theirs behind.
        if sideData.count > 64, let oldest = sideData.keys.min() { sideData[oldest] = nil }
      }
      code = av_buffersrc_add_frame_flags(source, handle.pointer, 0)
    } else {
      code = av_buffersrc_add_frame_flags(source, nil, 0)
    }
    guard code >= 0 else { throw FFmpeg.failure("a filter failed", code, place: "") }
    while true {
      let handle = try FrameHandle()
      code = av_buffersink_get_frame(sink, handle.pointer)
      if code == cffmpeg_error(EAGAIN) || code == cffmpeg_error_eof() { return }
      guard code >= 0 else { throw FFmpeg.failure("a filter failed", code, place: "") }
      try emit(try result(handle))
    }
  }

  private func result(_ handle: FrameHandle) throws -> Frame {
    let source = handle.pointer.pointee
    onMetadata?(Dictionary(entries(of: source.metadata).map { ($0.key, $0.value) }) { $1 })
    let own = av_buffersink_get_time_base(sink)
    let time = rescale(source.pts, own, input.timeBase.av)
    let duration = rescale(max(source.pkt_duration, 0), own, input.timeBase.av)
    let fields: FieldOrder =
      source.interlaced_frame == 0 ? .progressive : source.top_field_first != 0 ? .topFirst : .bottomFirst
    return Frame(
      picture: try importer.picture(handle), timestamp: Timestamp(Int(time), timeBase: input.timeBase),
      duration: duration > 0 ? Int(duration) : nil, fields: fields, sideData: sideData.removeValue(forKey: time) ?? [])
  }
}

extension Colour {
  /// Writes the codes where FFmpeg keeps them; codes that do not fit are left unspecified.
  func apply(to frame: UnsafeMutablePointer<AVFrame>) {
    frame.pointee.color_range = avRange
    frame.pointee.colorspace = AVColorSpace(rawValue: UInt32(exactly: matrix) ?? 2)
    frame.pointee.color_primaries = AVColorPrimaries(rawValue: UInt32(exactly: primaries) ?? 2)
    frame.pointee.color_trc = AVColorTransferCharacteristic(rawValue: UInt32(exactly: transfer) ?? 2)
    frame.pointee.chroma_location = AVChromaLocation(rawValue: UInt32(exactly: chromaLocation) ?? 0)
  }

  func apply(to context: UnsafeMutablePointer<AVCodecContext>) {
    context.pointee.color_range = avRange
    context.pointee.colorspace = AVColorSpace(rawValue: UInt32(exactly: matrix) ?? 2)
    context.pointee.color_primaries = AVColorPrimaries(rawValue: UInt32(exactly: primaries) ?? 2)
    context.pointee.color_trc = AVColorTransferCharacteristic(rawValue: UInt32(exactly: transfer) ?? 2)
    context.pointee.chroma_sample_location = AVChromaLocation(rawValue: UInt32(exactly: chromaLocation) ?? 0)
  }
}
