import Frames

/// Planes of samples with a stride of their own and guard bytes that must not change.
final class TestPlane {
  let width: Int
  let height: Int
  let depth: Int
  let count: Int
  private let stride: Int
  private let memory: UnsafeMutableRawPointer
  private let size: Int
  private static let guardByte: UInt8 = 0xA5

  init(width: Int, height: Int, depth: Int, count: Int = 1, padding: Int = 7) {
    self.width = width
    self.height = height
    self.depth = depth
    self.count = count
    stride = (width + padding) * (depth > 8 ? 2 : 1)
    size = stride * height * count
    memory = .allocate(byteCount: size, alignment: 2)
    memory.initializeMemory(as: UInt8.self, repeating: TestPlane.guardByte, count: size)
  }

  deinit { memory.deallocate() }

  var mutables: [MutablePlane] {
    (0..<count).map { MutablePlane(base: memory + $0 * stride * height, stride: stride, width: width, height: height) }
  }
  var planes: [Plane] { mutables.map(\.readable) }
  var mutable: MutablePlane { mutables[0] }
  var plane: Plane { mutable.readable }

  /// [plane][y][x]
  var samples: [UInt16] {
    get {
      planes.flatMap { plane in
        (0..<height).flatMap { y in
          (0..<width).map { x in
            depth > 8 ? plane.row(y, as: UInt16.self)[x] : UInt16(plane.row(y, as: UInt8.self)[x])
          }
        }
      }
    }
    set {
      for (number, plane) in mutables.enumerated() {
        for y in 0..<height {
          for x in 0..<width {
            let value = newValue[(number * height + y) * width + x]
            if depth > 8 {
              plane.row(y, as: UInt16.self)[x] = value
            } else {
              plane.row(y, as: UInt8.self)[x] = UInt8(value)
            }
          }
        }
      }
    }
  }

  var guardIsIntact: Bool {
    (0..<height * count).allSatisfy { y in
      (width * (depth > 8 ? 2 : 1)..<stride).allSatisfy {
        memory.load(fromByteOffset: y * stride + $0, as: UInt8.self) == TestPlane.guardByte
      }
    }
  }
}
