import Foundation
import Frames
import Inference
import Media
import Pipeline

/// The networks at hand: what `pipe models` shows.
public struct ModelList: Sendable {
  public struct Entry: Sendable {
    public var name: String
    public var path: String
    /// Output width by input width.
    public var scale: Int
    public var macsPerPixel: Int
    public var receptiveRadius: Int
    public var bytes: Int
    public var metadata: [String: String]
    /// Of the file.
    public var sha256: String
    /// Why it cannot be run, if so.
    public var problem: String?

    /// What a pipeline can do with it.
    var kind: String {
      switch scale {
      case 1: "denoise"
      case 2: "x2 (x4: run twice, `scale: 4`)"
      default: "x\(scale)"
      }
    }
  }

  public private(set) var entries: [Entry] = []

  /// - Parameter name: only this one: a name or a path. Throws exit code 2 where there is none such.
  public init(_ name: String? = nil, resources: Resources = Resources()) throws {
    for name in name.map({ [$0] }) ?? resources.names(.models) {
      let path = try resources.find(name, .models)
      var entry = Entry(
        name: URL(filePath: path).deletingPathExtension().lastPathComponent, path: path, scale: 0, macsPerPixel: 0,
        receptiveRadius: 0, bytes: FileIdentity(path: path)?.size ?? 0, metadata: [:],
        sha256: try ContentHash.of(file: path) ?? "")
      do {
        let network = try Network(contentsOf: URL(filePath: path))
        entry.scale = network.scale
        entry.macsPerPixel = network.macsPerPixel
        entry.receptiveRadius = network.receptiveRadius
        entry.metadata = network.metadata
      } catch {
        entry.problem = error.description
      }
      entries.append(entry)
    }
  }

  /// A line each; with its metadata where there is only one.
  public var text: String {
    let width = entries.map(\.name.count).max() ?? 0
    return entries.map { entry in
      let name = entry.name.padding(toLength: max(width, entry.name.count), withPad: " ", startingAt: 0)
      if let problem = entry.problem { return "\(name)  cannot be run: \(problem)" }
      let work = String(format: "%.1f K multiply-adds a pixel", Double(entry.macsPerPixel) / 1000)
      var line = "\(name)  \(entry.kind), \(work), \(entry.bytes >> 10) KiB"
      if let purpose = entry.metadata["purpose"] ?? entry.metadata["description"] { line += ": \(purpose)" }
      guard entries.count == 1 else { return line }
      let facts = entry.metadata.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)" }
      return
        ([line, "  file: \(entry.path)", "  sha256: \(entry.sha256)", "  reach: \(entry.receptiveRadius) px"] + facts)
        .joined(separator: "\n")
    }.joined(separator: "\n")
  }

  public var json: Value {
    .list(
      entries.map {
        .map([
          "name": .string($0.name), "path": .string($0.path), "scale": .int($0.scale),
          "macs_per_pixel": .int($0.macsPerPixel), "reach": .int($0.receptiveRadius), "bytes": .int($0.bytes),
          "sha256": .string($0.sha256), "metadata": .map($0.metadata.mapValues { .string($0) }),
          "problem": $0.problem.map { .string($0) } ?? .null,
        ])
      })
  }
}
