import Foundation
import Testing

/// The schema that editors use, held by an independent validator against the shipped pipelines.
@Suite struct SchemaTests {
  private static let pipelines = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../pipelines").standardizedFileURL

  /// Debian's python3-jsonschema reads a pipeline as YAML and says how many errors it has.
  private func errors(in pipeline: URL) throws -> Int32 {
    let schema = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: schema) }
    try Command(["schema"]).output.write(to: schema, atomically: true, encoding: .utf8)
    let validator = Process()
    validator.executableURL = URL(filePath: "/usr/bin/python3")
    validator.arguments = [
      "-c",
      """
      import json, jsonschema, sys, yaml
      validator = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))
      validator.check_schema(validator.schema)
      sys.exit(len(list(validator.iter_errors(yaml.safe_load(open(sys.argv[2]))))))
      """, schema.path, pipeline.path,
    ]
    try validator.run()
    validator.waitUntilExit()
    return validator.terminationStatus
  }

  @Test func everyShippedPipelineIsValid() throws {
    let files = try FileManager.default.contentsOfDirectory(at: Self.pipelines, includingPropertiesForKeys: nil)
    #expect(files.contains { $0.lastPathComponent == "upscale.yml" })
    for file in files where file.pathExtension == "yml" {
      #expect(try errors(in: file) == 0, "\(file.lastPathComponent)")
      #expect(try Command(["check", file.path]).code == 0, "\(file.lastPathComponent)")
    }
  }

  @Test(arguments: [
    ("crf: 22", "crf: 99"), ("- decode", "- decod"), ("preset: fast", "prest: fast"), ("version: 1", "version: 2"),
  ])
  func mistakesAreFound(right: String, wrong: String) throws {
    let text = try String(contentsOf: Self.pipelines.appending(path: "upscale.yml"), encoding: .utf8)
    let broken = text.replacingOccurrences(of: right, with: wrong)
    #expect(broken != text)
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).yml")
    defer { try? FileManager.default.removeItem(at: file) }
    try broken.write(to: file, atomically: true, encoding: .utf8)
    #expect(try errors(in: file) > 0)
    #expect(try Command(["check", file.path]).code == 2)
  }
}
