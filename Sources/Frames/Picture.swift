import Foundation

/// One plane of a picture, valid only inside the closure that lends it.
public struct Plane {
  public let base: UnsafeRawPointer
  /// Bytes from one row to the next.
  public let stride: Int
  /// Size in samples.
  public let width: Int
  public let height: Int

  public init(base: UnsafeRawPointer, stride: Int, width: Int, height: Int) {
    self.base = base
    self.stride = stride
    self.width = width
    self.height = height
  }

  public func row<Sample>(_ y: Int, as: Sample.Type) -> UnsafePointer<Sample> {
    (base + y * stride).assumingMemoryBound(to: Sample.self)
  }
}

/// A plane that is being filled, valid only inside the closure that lends it.
public struct MutablePlane {
  public let base: UnsafeMutableRawPointer
  public let stride: Int
  public let width: Int
  public let height: Int

  public init(base: UnsafeMutableRawPointer, stride: Int, width: Int, height: Int) {
    self.base = base
    self.stride = stride
    self.width = width
    self.height = height
  }

  public func row<Sample>(_ y: Int, as: Sample.Type) -> UnsafeMutablePointer<Sample> {
    (base + y * stride).assumingMemoryBound(to: Sample.self)
  }

  public var readable: Plane { Plane(base: UnsafeRawPointer(base), stride: stride, width: width, height: height) }
}

/// An immutable picture: planes of samples and what they mean.
///
/// Unchecked: nothing writes the planes after `init` returns, and `owner` keeps them alive until the last
/// reference goes, on whatever thread that is.
public final class Picture: @unchecked Sendable {
  /// Rows begin at multiples of this many bytes, so that vector kernels load aligned.
  public static let alignment = 64

  public let width: Int
  public let height: Int
  public let format: PixelFormat
  public let colour: Colour
  /// Width of a pixel divided by its height; 0/1 where unknown.
  public let sampleAspectRatio: Rational

  private let planes: [Plane]
  private let owner: AnyObject

  /// Allocates the planes and lets `fill` write every sample of them, in order: luma, Cb, Cr, alpha.
  public init(
    width: Int, height: Int, format: PixelFormat, colour: Colour = .unspecified,
    sampleAspectRatio: Rational = Rational(0, 1), fill: ([MutablePlane]) throws -> Void
  ) rethrows {
    precondition(width > 0 && height > 0, "a picture has at least one pixel")
    var sizes: [(width: Int, height: Int, stride: Int, offset: Int)] = []
    var total = 0
    for index in 0..<format.planeCount {
      let size = format.planeSize(index, width: width, height: height)
      let bytes = size.width * format.bytesPerSample
      let stride = (bytes + Picture.alignment - 1) / Picture.alignment * Picture.alignment
      sizes.append((size.width, size.height, stride, total))
      total += stride * size.height
    }
    let storage = Storage(bytes: total)
    try fill(
      sizes.map { MutablePlane(base: storage.base + $0.offset, stride: $0.stride, width: $0.width, height: $0.height) })
    planes = sizes.map {
      Plane(base: UnsafeRawPointer(storage.base + $0.offset), stride: $0.stride, width: $0.width, height: $0.height)
    }
    owner = storage
    self.width = width
    self.height = height
    self.format = format
    self.colour = colour
    self.sampleAspectRatio = sampleAspectRatio
  }

  /// The same for a picture of another's size, format, colours and shape.
  public convenience init(like other: Picture, fill: ([MutablePlane]) throws -> Void) rethrows {
    try self.init(
      width: other.width, height: other.height, format: other.format, colour: other.colour,
      sampleAspectRatio: other.sampleAspectRatio, fill: fill)
  }

  /// Wraps planes that `owner` keeps alive and unchanged: a decoder's frame, say. Nothing is copied.
  public init(
    lending planes: [Plane], owner: AnyObject, width: Int, height: Int, format: PixelFormat,
    colour: Colour = .unspecified, sampleAspectRatio: Rational = Rational(0, 1)
  ) {
    precondition(planes.count == format.planeCount, "a \(format) picture has \(format.planeCount) planes")
    self.planes = planes
    self.owner = owner
    self.width = width
    self.height = height
    self.format = format
    self.colour = colour
    self.sampleAspectRatio = sampleAspectRatio
  }

  /// Lends the planes for the length of `body`: luma, Cb, Cr, alpha.
  public func withPlanes<Result>(_ body: ([Plane]) throws -> Result) rethrows -> Result {
    defer { withExtendedLifetime(owner) {} }
    return try body(planes)
  }

  private final class Storage {
    let base: UnsafeMutableRawPointer
    init(bytes: Int) { base = .allocate(byteCount: max(bytes, 1), alignment: Picture.alignment) }
    deinit { base.deallocate() }
  }
}

extension Picture: Equatable {
  /// Same size, format, and samples; strides and colour tags do not count.
  public static func == (left: Picture, right: Picture) -> Bool {
    guard left.width == right.width, left.height == right.height, left.format == right.format else { return false }
    return left.withPlanes { a in
      right.withPlanes { b in
        zip(a, b).allSatisfy { p, q in
          (0..<p.height).allSatisfy {
            memcmp(p.base + $0 * p.stride, q.base + $0 * q.stride, p.width * left.format.bytesPerSample) == 0
          }
        }
      }
    }
  }
}
