import Foundation
import Frames
import Media

/// How far an output is from its input enlarged by lanczos: what tells a broken network from a working one.
enum LanczosComparison {
  /// Decibels over all frames, on luma; the lowest of any stream is not asked for, the first video stream is.
  /// - Parameter beat: called for each frame.
  static func psnr(input: String, output: String, threads: Int, beat: () throws -> Void) throws -> Double {
    let source = try VideoReader(input, threads: threads, select: .first)
    let result = try VideoReader(output, threads: threads, select: .first)
    var scaler: Scaler?
    var error = 0.0
    var count = 0
    while let made = try result.read(), let given = try source.read() {
      let from = PictureLayout(width: given.picture.width, height: given.picture.height, format: given.picture.format)
      let to = PictureLayout(width: made.picture.width, height: made.picture.height, format: given.picture.format)
      if scaler?.input != from || scaler?.output != to {
        scaler = from == to ? nil : try Scaler(from: from, to: to, filter: .lanczos)
      }
      let expected = try scaler?.scale(given.picture) ?? given.picture
      error += try PictureQuality(of: made.picture, against: expected).error
      count += 1
      try beat()
    }
    guard count > 0 else { throw Failure("no picture of it could be read back", place: output) }
    return error > 0 ? -10 * log10(error / Double(count)) : .infinity
  }
}
