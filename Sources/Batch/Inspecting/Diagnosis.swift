import Documents
import Foundation
import Frames
import Inference
import Media
import Pipeline

/// What this machine has of what pipelines may want, and how to get the rest: `pipe doctor`.
public struct Diagnosis: Sendable {
  public struct Item: Sendable {
    public var area: String
    public var name: String
    public var isWell: Bool
    public var detail: String
    /// The command that mends it.
    public var remedy: String?
  }

  public private(set) var items: [Item] = []

  /// Opens each encoder, network and language, so that what it says is true, not only installed.
  public init(_ registry: StageRegistry, resources: Resources = Resources()) {
    let budget = Budget.available
    add("processor", NetworkRunner.level, true, "\(budget.threads) threads, \(budget.memory >> 20) MiB of memory")
    for (name, version) in FFmpeg.versions.sorted(by: { $0.key < $1.key }) { add("library", name, true, version) }
    for codec in EncoderSettings.Codec.allCases {
      let settings = EncoderSettings(codec: codec)
      attempt("encoder", codec.rawValue, settings.encoderName, "apt-get install libavcodec-extra") {
        try settings.check()
      }
    }
    hardware()
    for format in PictureFormat.allCases {
      attempt("encoder", format.rawValue, format.encoderName, "apt-get install libavcodec-extra") {
        let grey = Picture(width: 16, height: 16, format: PixelFormat(.yuv444)) { planes in
          for plane in planes { for y in 0..<16 { plane.row(y, as: UInt8.self).update(repeating: 128, count: 16) } }
        }
        _ = try PictureWriter(format).encode(grey)
      }
    }
    languages()
    do {
      let models = try ModelList(resources: resources)
      if models.entries.isEmpty {
        add("model", "none", false, "no folder of models lies beside the program", "make install")
      }
      for model in models.entries {
        add(
          "model", model.name, model.problem == nil, model.problem ?? "x\(model.scale), \(model.bytes >> 10) KiB",
          model.problem == nil ? nil : "make install")
      }
    } catch { add("model", "all", false, "\(error)", "make install") }
    for name in resources.names(.pipelines) {
      attempt("pipeline", name, "ready", nil) {
        try Chain(path: try resources.find(name + ".yml", .pipelines), registry: registry).check()
      }
    }
  }

  public var isWell: Bool { items.allSatisfy(\.isWell) }

  /// Encoders in hardware that open: none is needed.
  private mutating func hardware() {
    var opened: [String] = []
    for device in EncoderDevice.allCases where device.isHardware {
      for codec in [EncoderSettings.Codec.hevc, .h264, .av1] {
        let settings = EncoderSettings(codec: codec, device: device)
        if (try? settings.resolved()) != nil { opened.append(settings.encoderName) }
      }
    }
    for name in opened { add("hardware", name, true, "opens") }
    if opened.isEmpty { add("hardware", "none", true, "no encoder in hardware opens; 'encoder: auto' uses software") }
  }

  private mutating func languages() {
    let languages = Languages.installed()
    for wanted in ["eng", "osd"] where !languages.contains(wanted) {
      attempt("language", wanted, "", nil) { try Languages.check(wanted) }
    }
    for language in languages { add("language", language, true, "Tesseract \(Languages.version)") }
  }

  private mutating func attempt(
    _ area: String, _ name: String, _ detail: String, _ remedy: String?, _ body: () throws -> Void
  ) {
    do {
      try body()
      add(area, name, true, detail)
    } catch {
      let failure = (error as? Failure) ?? Failure("\(error)")
      add(area, name, false, failure.description, remedy ?? failure.advice)
    }
  }

  private mutating func add(
    _ area: String, _ name: String, _ isWell: Bool, _ detail: String, _ remedy: String? = nil
  ) {
    items.append(Item(area: area, name: name, isWell: isWell, detail: detail, remedy: remedy))
  }

  public var text: String {
    let area = items.map(\.area.count).max() ?? 0, name = items.map(\.name.count).max() ?? 0
    return items.map {
      ($0.isWell ? "ok       " : "MISSING  ")
        + $0.area.padding(toLength: area + 2, withPad: " ", startingAt: 0)
        + $0.name.padding(toLength: name + 2, withPad: " ", startingAt: 0) + $0.detail
        + ($0.remedy.map { "; mend it by: \($0)" } ?? "")
    }.joined(separator: "\n")
  }

  public var json: Value {
    .list(
      items.map {
        .map([
          "area": .string($0.area), "name": .string($0.name), "ok": .bool($0.isWell), "detail": .string($0.detail),
          "remedy": $0.remedy.map { .string($0) } ?? .null,
        ])
      })
  }
}
