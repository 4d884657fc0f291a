import Frames
import Inference
import Media

/// A network on red, green and blue, over pictures of any format: through RGB and back. Opacity is interpolated.
final class RGBPass: PicturePass {
  let runner: NetworkRunner
  private let converter = RGBConverter()
  /// What was seen and made last, from which unchanged rows are taken.
  private var last: (input: RGBPlanes, output: RGBPlanes)?

  init(_ network: Network, threads: Int) { runner = NetworkRunner(network, threads: threads) }

  func run(_ picture: Picture) throws -> Picture {
    let scale = runner.network.scale
    let input = try converter.planes(of: picture)
    let output = input.withPlanes { inputs in
      RGBPlanes(width: picture.width * scale, height: picture.height * scale) { outputs in
        func run(_ previous: (inputs: [Plane], outputs: [Plane])?) {
          runner.run(
            inputs, depth: RGBPlanes.depth, into: outputs, outputDepth: RGBPlanes.depth, unchangedFrom: previous)
        }
        guard let last else { return run(nil) }
        last.input.withPlanes { before in last.output.withPlanes { run((before, $0)) } }
      }
    }
    last = (input, output)
    return try converter.picture(of: output, like: picture) { target in
      guard let plane = picture.format.alphaPlane else { return }
      picture.withPlanes { RGBPass.enlarge($0[plane], into: target, picture.format, scale) }
    }
  }

  /// - Parameter scale: a power of two.
  private static func enlarge(_ plane: Plane, into target: MutablePlane, _ format: PixelFormat, _ scale: Int) {
    guard scale > 1 else { return target.copyRows(from: plane, format) }
    let doubler = PlaneDoubler(shift: (0, 0), offset: (0, 0))
    guard scale > 2 else { return doubler.run(plane, into: target, depth: format.depth) }
    let half = Picture(
      width: 2 * plane.width, height: 2 * plane.height, format: PixelFormat(.none, depth: format.depth)
    ) { doubler.run(plane, into: $0[0], depth: format.depth) }
    half.withPlanes { enlarge($0[0], into: target, format, scale / 2) }
  }
}
