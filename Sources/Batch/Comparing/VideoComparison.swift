import Foundation
import Frames
import Media
import Pipeline

/// Compares videos or pictures with a reference, frame by frame: `pipe compare`.
///
/// All are read side by side, so memory does not grow with their length.
public struct VideoComparison: Sendable {
  public struct Result: Sendable {
    public var file: String
    public var frames: [PictureQuality]

    /// Decibels of the mean error: what single good frames cannot raise.
    public var psnr: Double {
      let error = frames.reduce(0) { $0 + $1.error } / Double(max(frames.count, 1))
      return error > 0 ? -10 * log10(error) : .infinity
    }
    public var ssim: Double { frames.reduce(0) { $0 + $1.ssim } / Double(max(frames.count, 1)) }
  }

  public let reference: String
  public private(set) var results: [Result]

  /// - Parameters:
  ///   - files: the outputs and, last, their reference.
  ///   - image: where to write crops of the frame in the middle, side by side, reference last.
  /// Throws a `Failure` of exit code 2 where files differ in the size or number of their frames.
  public init(_ files: [String], threads: Int, image: String? = nil) throws {
    guard files.count >= 2, let reference = files.last else {
      throw Failure("there is nothing to compare with", advice: "give outputs and, last, a reference", exitCode: .usage)
    }
    for file in files where FileSystem.status(file) == nil {
      throw Failure("there is no \(file)", exitCode: .usage)
    }
    self.reference = reference
    results = files.dropLast().map { Result(file: $0, frames: []) }
    let readers = try files.map { try VideoReader($0, threads: threads, select: .first) }
    var crops: [Picture]?
    while true {
      let frames = try readers.map { try $0.read() }
      guard let last = frames.last, let truth = last else {
        if let index = frames.firstIndex(where: { $0 != nil }) {
          throw Failure("it has more frames than \(reference)", place: files[index], exitCode: .usage)
        }
        break
      }
      for index in results.indices {
        guard let frame = frames[index] else {
          throw Failure("it has fewer frames than \(reference)", place: files[index], exitCode: .usage)
        }
        do {
          results[index].frames.append(try PictureQuality(of: frame.picture, against: truth.picture))
        } catch var failure as Failure {
          failure.place = files[index]
          throw failure
        }
      }
      // A frame after the first second says more than a title does; of a still there is only one.
      if image != nil, crops == nil || results[0].frames.count == 25 { crops = frames.compactMap { $0?.picture } }
    }
    guard results[0].frames.count > 0 else { throw Failure("it has no pictures", place: reference) }
    if let image, let crops { try CropSheet(crops).write(to: image) }
  }

  public var text: String {
    let width = results.map(\.file.count).max() ?? 0
    return results.map {
      let name = $0.file.padding(toLength: max(width, $0.file.count), withPad: " ", startingAt: 0)
      let worst = $0.frames.map(\.psnr).min() ?? 0
      let frames = $0.frames.count > 1 ? String(format: ", %d frames, the worst %.2f dB", $0.frames.count, worst) : ""
      return name + String(format: "  PSNR %.2f dB, SSIM %.4f", $0.psnr, $0.ssim) + frames
    }.joined(separator: "\n")
  }

  public var json: Value {
    .map([
      "reference": .string(reference),
      "results": .list(
        results.map { result in
          .map([
            "file": .string(result.file), "psnr": .double(result.psnr), "ssim": .double(result.ssim),
            "frames": .list(
              result.frames.map { .map(["psnr": .double($0.psnr), "ssim": .double($0.ssim)]) }),
          ])
        }),
    ])
  }
}
