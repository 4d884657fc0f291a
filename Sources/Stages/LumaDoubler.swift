import Frames
import Inference

/// Makes one picture of another by a network, with buffers of its own that are kept between pictures.
protocol PicturePass: AnyObject {
  func run(_ picture: Picture) throws -> Picture
}

/// Doubles pictures: luma by a network, chroma and opacity by bicubic interpolation.
final class LumaDoubler: PicturePass {
  private let runner: NetworkRunner
  /// What was seen and made last, from which unchanged rows are taken.
  private var last: (input: Picture, output: Picture)?

  init(_ network: Network, threads: Int) { runner = NetworkRunner(network, threads: threads) }

  func run(_ picture: Picture) throws -> Picture {
    let output = doubled(picture)
    last = (picture, output)
    return output
  }

  private func doubled(_ picture: Picture) -> Picture {
    guard let last, last.input.format == picture.format, last.input.colour == picture.colour,
      last.input.width == picture.width, last.input.height == picture.height
    else { return doubled(picture, planes: nil) }
    return last.input.withPlanes { inputs in
      last.output.withPlanes { outputs in
        doubled(picture, planes: zip(inputs, outputs).map { (input: $0, output: $1) })
      }
    }
  }

  /// - Parameter previous: an earlier picture and what was made of it: rows that are the same are copied.
  private func doubled(_ picture: Picture, planes previous: [(input: Plane, output: Plane)]?) -> Picture {
    let format = picture.format
    let chroma = PlaneDoubler(chroma: format.chroma, location: picture.colour.chromaLocation)
    let opacity = PlaneDoubler(shift: (0, 0), offset: (0, 0))
    return picture.withPlanes { inputs in
      Picture(
        width: 2 * picture.width, height: 2 * picture.height, format: format, colour: picture.colour,
        sampleAspectRatio: picture.sampleAspectRatio
      ) { outputs in
        for (index, plane) in inputs.enumerated() {
          if index == 0 {
            runner.run(
              luma: plane, depth: format.depth, into: outputs[0], outputDepth: format.depth,
              unchangedFrom: previous.map { (luma: $0[0].input, output: $0[0].output) })
          } else {
            (index == format.alphaPlane ? opacity : chroma).run(
              plane, into: outputs[index], depth: format.depth, unchangedFrom: previous?[index])
          }
        }
      }
    }
  }
}
