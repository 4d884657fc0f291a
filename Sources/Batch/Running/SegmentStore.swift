import Foundation
import Media
import Pipeline

/// Where finished stretches of long inputs lie until they are joined: `.pipe/segments/<key>/`.
///
/// The key is made of the input's content and the pipeline's key, so stretches of other settings, or of another
/// content, are never taken for each other.
struct SegmentStore: Sendable {
  /// What a folder of stretches is for.
  private struct About: Codable {
    var input: String
    var output: String
    var pipelineKey: String
  }

  let root: OutputRoot
  let relative: String

  init(_ root: OutputRoot, _ relative: String) { (self.root, self.relative) = (root, relative) }

  /// The folder for an input as it is now; those of other contents or settings for the same output are removed.
  func open(_ input: CutInput, path: String, pipelineKey: String) throws -> String {
    let cuts = input.segments.map { "\($0.frames)" }.joined(separator: " ")
    let key = try ContentHash.of(Data("\(Program.version) \(pipelineKey) \(input.sha256) \(cuts)".utf8))
    let folder = root.segments + "/" + key
    remove(except: key)
    try FileSystem.makeFolders(folder)
    let about = About(input: FileSystem.resolvedFuture(path), output: relative, pipelineKey: pipelineKey)
    try FileSystem.writeAtomically(try JSONEncoder().encode(about), to: folder + "/about.json")
    return folder
  }

  static func path(_ folder: String, _ number: Int) -> String { folder + "/\(String(format: "%05d", number)).segment" }

  /// The stretches that are finished.
  static func finished(_ folder: String, of count: Int) -> Set<Int> {
    Set((0..<count).filter { FileSystem.status(path(folder, $0)) != nil })
  }

  /// Remembers that an input must be run in one go.
  static func refuse(_ folder: String, _ reason: String) {
    try? FileSystem.writeAtomically(Data(reason.utf8), to: folder + "/refused")
  }

  static func isRefused(_ folder: String) -> Bool { FileSystem.status(folder + "/refused") != nil }

  /// Removes all that was kept for this output.
  func remove(except key: String? = nil) {
    for (name, about) in SegmentStore.folders(root) where name != key && about?.output == relative {
      SegmentStore.remove(root, name)
    }
  }

  /// Removes what no run will join any more: of outputs that are complete, of other settings, of inputs that are gone.
  static func sweep(_ plan: Plan, fresh: Bool) {
    for (index, root) in plan.roots.enumerated() {
      let folders = folders(root)
      guard !folders.isEmpty else { continue }
      let jobs = Dictionary(
        plan.jobs.filter { $0.root == index }.map { ($0.relativeOutput, $0) }, uniquingKeysWith: { first, _ in first })
      for (name, about) in folders {
        let isWanted =
          if let about, let job = jobs[about.output] {
            job.action == .run && about.pipelineKey == plan.key.hash && !fresh
          } else {
            about.map { FileSystem.status($0.input) != nil } ?? false
          }
        if !isWanted { remove(root, name) }
      }
      rmdir(root.segments)
    }
  }

  private static func folders(_ root: OutputRoot) -> [(name: String, about: About?)] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root.segments)) ?? []
    return names.map { name in
      let data = FileSystem.contents(root.segments + "/" + name + "/about.json")
      return (name, data.flatMap { try? JSONDecoder().decode(About.self, from: $0) })
    }
  }

  private static func remove(_ root: OutputRoot, _ name: String) {
    try? FileManager.default.removeItem(atPath: root.segments + "/" + name)
    rmdir(root.segments)
  }
}
