import CFFmpeg
import Frames

/// Tags and chapters, from file to file.
enum Metadata {
  /// Tags of a whole file that say how it was stored, not what it is.
  private static let containerTags: Set<String> = [
    "major_brand", "minor_version", "compatible_brands", "encoder", "encoding_tool", "duration", "creation_software",
  ]
  /// Tags of a stream that describe its old bits.
  private static let codingTags: Set<String> = [
    "encoder", "vendor_id", "duration", "bps", "number_of_frames", "number_of_bytes", "source_id", "rotate",
    "encoder_options", "encoder_settings",
  ]

  static func copyFile(_ source: UnsafePointer<AVFormatContext>, to target: UnsafeMutablePointer<AVFormatContext>) {
    for (key, value) in entries(of: source.pointee.metadata) where !containerTags.contains(key.lowercased()) {
      av_dict_set(&target.pointee.metadata, key, value, 0)
    }
  }

  static func copyStream(
    _ source: UnsafePointer<AVStream>, to target: UnsafeMutablePointer<AVStream>, recoded: Bool
  ) {
    for (key, value) in entries(of: source.pointee.metadata) {
      // mkvmerge writes `BPS`, `BPS-eng`, `_STATISTICS_TAGS` … : true for the old bits only.
      let plain = String(key.lowercased().split(separator: "-").first ?? "")
      if plain == "duration" || plain.hasPrefix("_statistics") { continue }
      if recoded && codingTags.contains(plain) { continue }
      av_dict_set(&target.pointee.metadata, key, value, 0)
    }
    target.pointee.disposition = source.pointee.disposition
  }

  static func copyChapters(
    _ source: UnsafePointer<AVFormatContext>, to target: UnsafeMutablePointer<AVFormatContext>
  ) throws {
    for index in 0..<Int(source.pointee.nb_chapters) {
      guard let chapter = source.pointee.chapters[index] else { continue }
      guard let raw = av_mallocz(MemoryLayout<AVChapter>.size) else { throw Failure.outOfMemory }
      let copy = raw.assumingMemoryBound(to: AVChapter.self)
      copy.pointee.id = chapter.pointee.id
      copy.pointee.time_base = chapter.pointee.time_base
      copy.pointee.start = chapter.pointee.start
      copy.pointee.end = chapter.pointee.end
      av_dict_copy(&copy.pointee.metadata, chapter.pointee.metadata, 0)
      // av_dynarray_add keeps the list's growth rule; the context frees the list and its chapters.
      var count = Int32(target.pointee.nb_chapters)
      guard withUnsafeMutablePointer(to: &target.pointee.chapters, { av_dynarray_add_nofree($0, &count, copy) }) >= 0
      else { throw Failure.outOfMemory }
      target.pointee.nb_chapters = UInt32(count)
    }
  }
}
