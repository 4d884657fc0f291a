import Foundation
import Frames
import Inference
import Media
import Pipeline

/// `pipe quantize`: a float network becomes one of 8-bit weights and activations, calibrated on the user's pictures.
public struct ModelQuantisation: Sendable {
  /// Every further picture tells less of how activations are distributed.
  private static let mostPictures = 64
  private static let pictures = ["**/*.{png,jpg,jpeg,webp,tif,tiff,bmp,avif,heic,jxl,ppm,pgm,gif,mp4,mkv,mov,webm}"]

  private let output: String
  private let network: Network
  public private(set) var picturesUsed = 0
  /// Files that could not be read, and why.
  public private(set) var problems: [Failure] = []

  /// - Parameters:
  ///   - model: a float ONNX file.
  ///   - calibration: files or folders of pictures; at most 64, spread evenly over them, are looked at.
  ///   - output: the ONNX file to write.
  ///   - percentile: the share of an activation's values that its range covers; nil for the range of least error.
  /// Throws a `Failure` of exit code 3 where there is no such model, 2 where it cannot be quantised or no picture could
  /// be read, 1 where the output cannot be written.
  public init(_ model: String, calibration: [String], output: String, percentile: Double?) throws {
    guard FileSystem.status(model)?.isFile == true else {
      throw Failure("no such model", place: model, exitCode: .missing)
    }
    var quantizer = try Quantizer(try Data(contentsOf: URL(filePath: model)), name: model)
    let files = try Scan(calibration, include: Self.pictures, exclude: []).files
    let count = min(files.count, Self.mostPictures)
    for index in 0..<count {
      let path = files[index * files.count / count].path
      do {
        guard let frame = try VideoReader(path, select: .first).read() else { continue }
        try quantizer.calibrate(Self.sample(frame.picture, isRGB: quantizer.channels == 3))
        picturesUsed += 1
      } catch let failure as Failure where failure.place != model && !failure.place.hasPrefix(model + ":") {
        problems.append(failure)
      }
    }
    guard picturesUsed > 0 else {
      throw Failure(
        "no picture to calibrate on in \(calibration.joined(separator: ", "))",
        advice: "give a folder of pictures such as the network is for", exitCode: .usage)
    }
    let data = try quantizer.quantised(percentile.map { .percentile($0) } ?? .meanSquare)
    self.output = output
    network = try Network(bytes: data, name: URL(filePath: output).deletingPathExtension().lastPathComponent)
    do {
      try data.write(to: URL(filePath: output), options: .atomic)
    } catch {
      throw Failure("the model cannot be written", place: output, advice: "is its folder there, and writable?")
    }
  }

  /// Luma, or red, green and blue, of eight bits.
  private static func sample(_ picture: Picture, isRGB: Bool) throws -> Quantizer.Sample {
    if isRGB {
      return Quantizer.Sample(
        width: picture.width, height: picture.height, samples: try RGBConverter().planes(of: picture).bytes)
    }
    let depth = picture.format.depth
    let luma = picture.withPlanes { planes in
      (0..<planes[0].height).flatMap { y in
        (0..<planes[0].width).map { x in
          depth > 8
            ? UInt8(truncatingIfNeeded: planes[0].row(y, as: UInt16.self)[x] >> (depth - 8))
            : planes[0].row(y, as: UInt8.self)[x]
        }
      }
    }
    return Quantizer.Sample(width: picture.width, height: picture.height, samples: luma)
  }

  public var text: String {
    String(
      format: "%@: x%d, %.1f K multiply-adds a pixel, calibrated on %d picture%@", output, network.scale,
      Double(network.macsPerPixel) / 1000, picturesUsed, picturesUsed == 1 ? "" : "s")
  }
}
