import Foundation
import Pipeline

/// What an input is expected to cost.
public struct Prediction: Sendable, Hashable, Codable {
  /// Of the clock, where the input has all threads for itself.
  public var seconds: Double
  /// Bytes that its worker will have in use at once.
  public var memory: Int
  /// Bytes that lie in the output folder at once until the output is in its place: the output itself included.
  public var temporary: Int
  /// Whether receipts of earlier outputs told, or only a rough table.
  public var learned: Bool
}

/// Costs by pixels: of a rough table, corrected by what receipts say.
struct CostModel: Sendable {
  private let chain: Chain
  /// What receipts say in parts of what the table says: processor time, memory, size of the output.
  private var factors = (time: 1.0, memory: 1.0, size: 1.0)
  private(set) var learned = false

  init(_ chain: Chain) { self.chain = chain }

  /// - Parameter receipts: of outputs of the same pipeline.
  init(_ chain: Chain, receipts: [Receipt]) {
    self.init(chain)
    var ratios: (time: [Double], memory: [Double], size: [Double]) = ([], [], [])
    for receipt in receipts where receipt.status == .done && receipt.pipelineName == chain.name {
      guard let cost = receipt.cost, let extent = cost.extent, (extent.frames ?? 0) > 0 else { continue }
      ratios.time.append(cost.cpuSeconds / processorSeconds(extent))
      ratios.memory.append(Double(cost.peakMemory) / memory(extent, threads: cost.threads))
      ratios.size.append(receipt.outputs.reduce(0) { $0 + Double($1.identity.size) } / size(extent))
    }
    guard !ratios.time.isEmpty else { return }
    func middle(_ values: [Double]) -> Double { min(max(values.sorted()[values.count / 2], 0.01), 100) }
    factors = (middle(ratios.time), middle(ratios.memory), middle(ratios.size))
    learned = true
  }

  func predict(_ extent: JobExtent, threads: Int) -> Prediction {
    // About a tenth of a second goes into opening and checking, whatever there is to do.
    let seconds = processorSeconds(extent) * factors.time / Double(max(threads, 1)) + 0.1
    // Segments and what is joined of them lie side by side.
    let copies = chain.segment != nil && chain.cutObstacle == nil ? 2.0 : 1.0
    return Prediction(
      seconds: seconds, memory: Int(memory(extent, threads: threads) * factors.memory),
      temporary: Int(size(extent) * factors.size * copies), learned: learned)
  }

  /// Bytes without which it certainly cannot run: pictures that are held at once.
  func leastMemory(_ extent: JobExtent) -> Int {
    (3 * extent.bytesIn &+ 3 * extent.bytesOut) &+ (16 << 20)
  }

  /// Bytes, by the table.
  func expectedMemory(_ extent: JobExtent, threads: Int) -> Int { Int(memory(extent, threads: threads)) }

  // MARK: The table

  private func processorSeconds(_ extent: JobExtent) -> Double {
    let (pixelsIn, pixelsOut) = (Double(extent.pixelsIn), Double(extent.pixelsOut))
    let nanoseconds = chain.stages.reduce(0.0) { sum, stage in
      switch stage.spec.name {
      case "decode": sum + 5 * pixelsIn
      case "rasterize": sum + 60 * pixelsIn
      case "deinterlace": sum + 6 * pixelsIn
      case "upscale", "denoise": sum + 150 * pixelsIn
      case "ocr": sum + 800 * pixelsIn
      case "encode": sum + encoding(stage.values) * pixelsOut
      case "save": sum + 80 * pixelsOut
      default: sum + 20 * pixelsOut
      }
    }
    return max(nanoseconds * Double(extent.frames ?? 1) / 1e9, 1e-6)
  }

  /// Nanoseconds a pixel.
  private func encoding(_ values: [String: Value]) -> Double {
    let presets = [
      "ultrafast": 20.0, "superfast": 30, "veryfast": 50, "faster": 60, "fast": 80, "medium": 120, "slow": 300,
      "slower": 800, "veryslow": 1500, "placebo": 3000,
    ]
    let preset = values["preset"].flatMap { presets[$0.description] }
    return switch values["codec"]?.description {
    case "ffv1": 40
    case "prores": 25
    case "h264": (preset ?? 120) / 4
    default: preset ?? 120
    }
  }

  private func memory(_ extent: JobExtent, threads: Int) -> Double {
    var bytes = Double(70 << 20) + Double(extent.bytesIn) * Double(threads + 6)
    if chain.flow == .pages { bytes += Double(extent.bytesIn) * Double(threads + 2) }
    // Between two stages wait two pictures, and each works on one.
    bytes += Double(chain.stages.count) * 3 * Double(max(extent.bytesIn, extent.bytesOut)) / 2
    let codec = chain.stages.last?.values["codec"]?.description
    // A lookahead holds pictures whole and in small.
    if codec == "hevc" || codec == "h264" || codec == "av1" { bytes += 36 * Double(extent.bytesOut) }
    return bytes
  }

  /// Bytes of the output.
  private func size(_ extent: JobExtent) -> Double {
    let pixels = Double(extent.pixelsOut) * Double(extent.frames ?? 1)
    return switch chain.stages.last?.values["codec"]?.description {
    case "ffv1": pixels * 0.7
    case "prores": pixels * 0.5
    case .some: pixels * 0.015
    case nil: pixels * 0.3
    }
  }
}
