import CFFmpeg
import Foundation
import Frames

extension PictureWriter {
  /// Red, green and blue as amounts of light in floating point, as OpenEXR holds them: 1 is white.
  func prepareLight(_ picture: Picture) throws -> FrameHandle {
    let alpha = picture.format.alpha
    let channels = alpha ? 4 : 3
    let (width, height) = (picture.width, picture.height)
    let frame = try FrameHandle(width, height, alpha ? AV_PIX_FMT_GBRAPF32LE : AV_PIX_FMT_GBRPF32LE)
    let full = try widened(picture)
    let original = picture.format.chroma == .none ? 16 : picture.format.depth
    let packed = UnsafeMutableRawPointer.allocate(byteCount: width * height * channels * 2, alignment: 64)
    defer { packed.deallocate() }
    let rows = PackedRGB(
      base: packed, stride: width * channels * 2, width: width, height: height, channels: channels, depth: 16)
    full.withPlanes { rows.pack($0, format: full.format, full.colour, shiftedFrom: original) }
    let light = PictureWriter.light(isPQ: picture.colour.isPQ)
    // FFmpeg's planes are green, blue, red, opacity.
    for (plane, channel) in [1, 2, 0, 3].prefix(channels).enumerated() {
      guard let base = cffmpeg_plane(frame.pointer, Int32(plane)) else { throw Failure.outOfMemory }
      let stride = Int(cffmpeg_stride(frame.pointer, Int32(plane)))
      for y in 0..<height {
        let source = (packed + y * width * channels * 2).assumingMemoryBound(to: UInt16.self)
        let target = UnsafeMutableRawPointer(base) + y * stride
        for x in 0..<width {
          let sample = source[x * channels + channel]
          let value = channel == 3 ? Float(sample) / 65535 : light[Int(sample)]
          target.storeBytes(of: value.bitPattern.littleEndian, toByteOffset: 4 * x, as: UInt32.self)
        }
      }
    }
    return frame
  }

  /// By 16-bit code: light of sRGB's curve, or of PQ's with white at 203 cd/m² (BT.2408).
  private static func light(isPQ: Bool) -> [Float] {
    (0...65535).map { code in
      let signal = Double(code) / 65535
      if isPQ {
        let root = pow(signal, 1 / 78.84375)
        return Float(10_000 / 203 * pow(max(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root), 1 / 0.1593017578125))
      }
      return Float(signal <= 0.04045 ? signal / 12.92 : pow((signal + 0.055) / 1.055, 2.4))
    }
  }
}
