import CFFmpeg
import Foundation
import Frames
import Testing

@testable import Media

/// Encoders in hardware: where none is, and what can be shown without one.
@Suite struct EncoderDeviceTests {
  @Test(arguments: EncoderSettings.Codec.allCases)
  func autoUsesWhatOpens(codec: EncoderSettings.Codec) throws {
    let settings = EncoderSettings(codec: codec, device: .auto, preset: codec == .prores ? nil : "fast")
    let used = try settings.resolved()
    #expect(used.device != .auto)
    #expect((settings.fallbackRemark != nil) == (used.device == .software))
    var software = settings
    software.device = .software
    if used.device == .software { #expect(used == software) }
  }

  @Test(arguments: EncoderDevice.allCases.filter(\.isHardware))
  func aNamedOneOpensOrIsRefusedWithWhatToDo(device: EncoderDevice) throws {
    do {
      #expect(try EncoderSettings(device: device).resolved().device == device)
    } catch let failure as Failure {
      #expect(failure.exitCode == .missing)
      #expect(failure.message.hasPrefix("encoder: \(device.rawValue) does not open here: "))
      #expect(failure.advice?.contains("encoder: software") == true)
    }
  }

  @Test(arguments: [8, 10]) func chromaIsWovenExactly(depth: Int) throws {
    let format = PixelFormat(.yuv420, depth: depth)
    let picture = Picture(width: 34, height: 18, format: format, colour: Colour(range: .limited, matrix: 1)) { planes in
      for (index, plane) in planes.enumerated() {
        for y in 0..<plane.height {
          for x in 0..<plane.width {
            let value = (x * 37 + y * 101 + index * 59) % (1 << depth)
            if depth > 8 {
              plane.row(y, as: UInt16.self)[x] = UInt16(value)
            } else {
              plane.row(y, as: UInt8.self)[x] = UInt8(value)
            }
          }
        }
      }
    }
    let woven = try #require(Upload.layouts.first { $0.layout == format }).av
    let frame = try Upload(.nvenc, woven, width: 34, height: 18).frame(picture)
    func sample(_ plane: Int32, _ x: Int, _ y: Int) -> Int {
      let row = UnsafeRawPointer(cffmpeg_plane(frame.pointer, plane)!) + y * Int(cffmpeg_stride(frame.pointer, plane))
      // P010 keeps its ten bits at the top of sixteen.
      return depth > 8
        ? Int(row.load(fromByteOffset: 2 * x, as: UInt16.self)) >> 6 : Int(row.load(fromByteOffset: x, as: UInt8.self))
    }
    picture.withPlanes { planes in
      func own(_ plane: Int, _ x: Int, _ y: Int) -> Int {
        depth > 8 ? Int(planes[plane].row(y, as: UInt16.self)[x]) : Int(planes[plane].row(y, as: UInt8.self)[x])
      }
      for y in 0..<18 { for x in 0..<34 { #expect(sample(0, x, y) == own(0, x, y)) } }
      for y in 0..<9 {
        for x in 0..<17 {
          #expect(sample(1, 2 * x, y) == own(1, x, y))
          #expect(sample(1, 2 * x + 1, y) == own(2, x, y))
        }
      }
    }
  }
}
