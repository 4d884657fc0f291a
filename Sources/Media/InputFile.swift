import CFFmpeg
import Foundation
import Frames

/// A local media file, opened for reading packets.
///
/// Nothing but this one file is ever read: formats that name other files or addresses (playlists, scripts, patterns
/// of picture names) are refused before their reader sees them, and nested opening is switched off. Used by one
/// thread at a time.
final class InputFile {
  let path: String
  let context: UnsafeMutablePointer<AVFormatContext>
  private let source: UnsafeMutablePointer<AVIOContext>

  /// Formats that hold their own media. Playlists, scripts, devices, bare subtitles, raw samples are not among them.
  private static let accepted: Set<String> = [
    "mov", "matroska", "webm", "avi", "mpegts", "mpeg", "mpegvideo", "flv", "live_flv", "asf", "ogg", "rm", "nut",
    "mxf", "dv", "gxf", "wtv", "ivf", "h264", "hevc", "m4v", "vc1", "vc1test", "obu", "av1", "yuv4mpegpipe", "swf",
    "h263", "h261", "cavsvideo", "dirac", "dnxhd", "mjpeg", "mjpeg_2000", "gif", "apng", "wav", "w64", "mp3", "aac",
    "ac3", "eac3", "flac", "dts", "truehd", "amr", "aiff", "au", "caf", "mpjpeg", "smjpeg", "dxa", "roq", "bink",
    "smk", "flic", "vob", "pmp", "lxf", "nuv", "nsv", "mtv", "thp", "xmv", "4xm", "ape", "tta", "wv", "tak",
    "bmp_pipe", "dds_pipe", "dpx_pipe", "exr_pipe", "gif_pipe", "j2k_pipe", "jpeg_pipe", "jpegls_pipe", "jpegxl_pipe",
    "pam_pipe", "pbm_pipe", "pcx_pipe", "pfm_pipe", "pgm_pipe", "pgmyuv_pipe", "phm_pipe", "png_pipe", "ppm_pipe",
    "psd_pipe", "qoi_pipe", "sgi_pipe", "sunrast_pipe", "tiff_pipe", "webp_pipe", "xbm_pipe", "xpm_pipe", "xwd_pipe",
    "cri_pipe", "gem_pipe", "pgx_pipe", "photocd_pipe", "pictor_pipe", "vbn_pipe", "ico",
  ]

  init(_ path: String) throws {
    FFmpeg.prepare()
    FFmpegLog.shared.clear()
    try InputFile.checkReadable(path)
    self.path = path

    var opened: UnsafeMutablePointer<AVIOContext>?
    let options = OptionsHandle(["protocol_whitelist": "file"])
    // The prefix keeps a colon, a leading dash or a percent sign in the name from meaning anything.
    var code = avio_open2(&opened, "file:" + path, AVIO_FLAG_READ, nil, &options.pointer)
    guard code >= 0, let opened else { throw FFmpeg.failure("cannot open it", code, place: path) }
    source = opened
    var closing: UnsafeMutablePointer<AVIOContext>? = opened

    let format: UnsafePointer<AVInputFormat>
    do {
      format = try InputFile.recognise(opened, path)
    } catch {
      avio_closep(&closing)
      throw error
    }
    guard let allocated = avformat_alloc_context() else {
      avio_closep(&closing)
      throw Failure.outOfMemory
    }
    allocated.pointee.pb = opened
    allocated.pointee.io_open = { _, _, _, _, _ in cffmpeg_error(EACCES) }
    allocated.pointee.max_streams = 256
    var pointer: UnsafeMutablePointer<AVFormatContext>? = allocated
    // No name is handed over: no reader can take it for a pattern.
    let demuxing = OptionsHandle(["protocol_whitelist": "file"])
    code = avformat_open_input(&pointer, nil, format, &demuxing.pointer)
    guard code >= 0, let pointer else {
      avio_closep(&closing)
      throw FFmpeg.failure("cannot be read as \(InputFile.title(format))", code, place: path, advice: "is it damaged?")
    }
    context = pointer
    chapterTracks = Set(streams.filter { $0.pointee.discard == AVDISCARD_ALL }.map { Int($0.pointee.index) })
    code = avformat_find_stream_info(pointer, nil)
    guard code >= 0 else { throw FFmpeg.failure("its streams cannot be read", code, place: path) }
  }

  deinit {
    var pointer: UnsafeMutablePointer<AVFormatContext>? = context
    avformat_close_input(&pointer)
    var closing: UnsafeMutablePointer<AVIOContext>? = source
    avio_closep(&closing)
  }

  var streams: [UnsafeMutablePointer<AVStream>] {
    (0..<Int(context.pointee.nb_streams)).compactMap { context.pointee.streams[$0] }
  }

  var formatName: String { text(context.pointee.iformat?.pointee.name) ?? "" }

  /// A container of one picture or of a short loop of them, not of a film.
  var isStill: Bool { formatName.hasSuffix("_pipe") || formatName == "ico" }

  /// The next packet of a stream that is not discarded; nil at the end. Errors in mid-file end it, as with `ffmpeg`;
  /// `damage` then says so.
  func read(into packet: PacketHandle) -> Bool {
    for _ in 0..<1000 {
      let code = av_read_frame(context, packet.pointer)
      if code >= 0 { return true }
      if code == cffmpeg_error(EAGAIN) { continue }
      if code != cffmpeg_error_eof() { damage = FFmpeg.failure("reading ended early", code, place: path).message }
      return false
    }
    damage = "reading ended early: no more data came"
    return false
  }

  /// Goes to the last entry of `stream` before `time`, in its own units; false where that is not possible.
  func seek(_ stream: UnsafeMutablePointer<AVStream>, _ time: Int64) -> Bool {
    av_seek_frame(context, stream.pointee.index, time, AVSEEK_FLAG_BACKWARD) >= 0
  }

  private(set) var damage: String?
  /// Tracks that hold nothing but the chapters, which the reader has made chapters of.
  private(set) var chapterTracks: Set<Int> = []

  private static func checkReadable(_ path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw Failure(String(cString: strerror(errno)).lowercasedFirst, place: path)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw Failure("is not a plain file", place: path, advice: "give a file on this machine")
    }
    guard status.st_size > 0 else { throw Failure("is empty", place: path) }
  }

  /// Finds the format by content alone.
  private static func recognise(
    _ source: UnsafeMutablePointer<AVIOContext>, _ path: String
  ) throws -> UnsafePointer<AVInputFormat> {
    var format: UnsafePointer<AVInputFormat>?
    let score = av_probe_input_buffer2(source, &format, nil, nil, 0, 1 << 20)
    // What begins as a JPEG is one, whatever comes after; FFmpeg's guess by content wants more of it.
    if score < 0 || text(format?.pointee.name) == "mp3", beginsAsJPEG(path) {
      format = av_find_input_format("jpeg_pipe")
    }
    guard let format else {
      throw Failure(
        looksLikeText(path) ? "is a text file, not media" : "is not a media file that can be read here", place: path)
    }
    let names = (text(format.pointee.name) ?? "").split(separator: ",").map(String.init)
    guard names.contains(where: accepted.contains) else {
      let what = title(format)
      if ["hls", "concat", "dash", "imf", "sdp", "rtsp", "webm_dash_manifest", "image2", "ffmetadata"].contains(
        where: names.contains)
      {
        throw Failure(
          "is a list (\(what)) that names other files, and only plain local media is opened", place: path,
          advice: "give the media files themselves")
      }
      throw Failure(
        looksLikeText(path) ? "is a text file, not media" : "is \(what), which is not a media format accepted here",
        place: path)
    }
    return format
  }

  private static func title(_ format: UnsafePointer<AVInputFormat>) -> String {
    text(format.pointee.long_name) ?? text(format.pointee.name) ?? "unknown"
  }

  private static func beginsAsJPEG(_ path: String) -> Bool {
    (try? FileHandle(forReadingAtPath: path)?.read(upToCount: 2)) == Data([0xff, 0xd8])
  }

  private static func looksLikeText(_ path: String) -> Bool {
    guard let file = FileHandle(forReadingAtPath: path), let head = try? file.read(upToCount: 512) else { return false }
    return !head.contains { $0 < 9 || ($0 > 13 && $0 < 32 && $0 != 27) }
      && String(validating: head, as: UTF8.self) != nil
  }
}
