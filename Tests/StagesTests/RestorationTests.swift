import Foundation
import Frames
import Media
import Pipeline
import Testing

@testable import Stages

/// The shipped pipelines that restore footage, on a noisy clip whose clean one is known.
@Suite struct RestorationTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "restoration-tests-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func clip(_ name: String, filter: String) throws -> String {
    let path = folder.appending(path: name).path
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    let source = "gradients=s=160x96:r=5:d=1:seed=3:nb_colors=4:c0=gray:c1=brown:c2=teal:c3=tan"
    process.arguments = [
      "ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-vf", "format=yuv420p" + filter, "-c:v",
      "ffv1", path,
    ]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return path
  }

  private func run(_ pipeline: String, _ input: String) throws -> [Picture] {
    let file = URL(filePath: #filePath).appending(path: "../../../pipelines/\(pipeline).yml").standardizedFileURL
    let chain = try Chain(
      text: try String(contentsOf: file, encoding: .utf8), file: file.path, registry: builtinStages)
    try chain.check()
    let job = Job(input: input, output: folder.appending(path: "\(pipeline).mkv").path, threads: 2)
    return try pictures(try ChainRunner(chain).run(job).sink.files[0].part)
  }

  private func pictures(_ path: String) throws -> [Picture] {
    let reader = try VideoReader(path)
    var result: [Picture] = []
    while let frame = try reader.read() { result.append(frame.picture) }
    return result
  }

  private func error(_ a: Picture, _ b: Picture) -> Double {
    a.withPlanes { a in
      b.withPlanes { b in
        var sum = 0.0
        for y in 0..<a[0].height {
          for x in 0..<a[0].width {
            let difference = Double(a[0].row(y, as: UInt8.self)[x]) - Double(b[0].row(y, as: UInt8.self)[x])
            sum += difference * difference
          }
        }
        return sum
      }
    }
  }

  @Test func denoisingBringsTheCleanClipBack() throws {
    let clean = try pictures(try clip("clean.mkv", filter: ""))
    let source = try clip("noisy.mkv", filter: ",noise=alls=24:allf=t:all_seed=7")
    let noisy = try pictures(source)
    let result = try run("denoise", source)
    try #require(result.count == clean.count && noisy.count == clean.count)
    for index in clean.indices {
      let (before, after) = (error(noisy[index], clean[index]), error(result[index], clean[index]))
      #expect(after < before / 3, "frame \(index): squared error \(before) before, \(after) after")
    }
  }

  @Test func restoringDoublesTheSize() throws {
    let source = try clip("noisy.mkv", filter: ",noise=alls=24:allf=t:all_seed=7")
    let result = try run("restore", source)
    #expect(result.count == 5 && result.allSatisfy { $0.width == 320 && $0.height == 192 })
  }
}
