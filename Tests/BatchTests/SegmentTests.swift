import Batch
import Foundation
import Frames
import Pipeline
import Stages
import Testing

/// Long inputs cut into stretches: the output is that of a run in one go, whatever happens in between.
@Suite(.serialized) struct SegmentTests {
  static let pipe = URL(filePath: Resources.programPath).deletingLastPathComponent().appending(path: "pipe").path

  static let clips = [
    // Leading pictures that need the group before, and pyramids of B-frames.
    "open.mkv": "-f lavfi -i testsrc2=s=160x120:r=25:d=8 -f lavfi -i sine=d=8 -c:v libx264 -preset veryfast"
      + " -x264-params keyint=25:open-gop=1:bframes=3:b-pyramid=normal -c:a aac",
    // Frames of varying length.
    "vfr.mp4": "-f lavfi -i testsrc2=s=160x120:r=25:d=8 -f lavfi -i sine=d=8 -vf setpts=PTS+0.013*mod(N\\,3)/TB"
      + " -c:v libx264 -preset veryfast -x264-params keyint=25:bframes=3 -c:a aac",
    // No index, and times that do not begin at 0.
    "stream.ts": "-f lavfi -i testsrc2=s=160x120:r=25:d=8 -f lavfi -i sine=d=8 -c:v libx264 -preset veryfast"
      + " -x264-params keyint=25:open-gop=1:bframes=3 -c:a mp2",
    // Fields, which look at the frames beside them.
    "fields.mkv": "-f lavfi -i testsrc2=s=160x120:r=50:d=8 -vf tinterlace=interleave_top,fieldorder=tff"
      + " -c:v mpeg2video -q:v 4 -bf 2 -g 12 -flags +ilme+ildct",
  ]

  private func clip(_ ground: Playground, _ name: String, _ arguments: String) throws {
    try FileManager.default.createDirectory(atPath: ground.path("in"), withIntermediateDirectories: true)
    try Tools.run(
      ["ffmpeg", "-v", "error", "-y"] + arguments.split(separator: " ").map(String.init) + [ground.path("in/" + name)])
  }

  /// A pipeline named `cut`, or `whole` where it does not cut.
  private func pipeline(
    _ ground: Playground, segment: String?, encode: String = "{ codec: ffv1 }", filters: String = "deinterlace: auto"
  ) throws -> String {
    let name = segment == nil ? "whole" : "cut"
    return try ground.write(
      name + ".yml",
      """
      version: 1
      name: \(name)
      inputs: { include: ["*"] }
      output: "{stem}.mkv"
      \(segment.map { "segment: \($0)" } ?? "")
      stages: [decode, \(filters), encode: \(encode)]
      """)
  }

  private func run(
    _ ground: Playground, _ pipeline: String, _ output: String, stop: StopFlag = StopFlag(),
    change: (inout RunRequest) -> Void = { _ in }
  ) async throws -> Playground.Outcome {
    var request = RunRequest(pipeline: pipeline, inputs: [ground.path("in")])
    request.output = ground.path(output)
    change(&request)
    let recorder = Recorder()
    let run = BatchRun(
      request, registry: builtinStages, worker: WorkerCommand(executable: Self.pipe), stop: stop, observer: recorder)
    let code = try await withCheckedThrowingContinuation { continuation in
      Thread { continuation.resume(with: Result { try run.run() }) }.start()
    }
    return Playground.Outcome(code: code, events: recorder.events, remarks: recorder.remarks)
  }

  private func segments(_ ground: Playground, _ output: String) throws -> Value? {
    let data = try #require(FileManager.default.contents(atPath: ground.path(output)))
    return try JSONDecoder().decode(Receipt.self, from: data).details["segments"]
  }

  /// The finished stretches that lie in an output folder.
  private func pieces(_ ground: Playground, _ output: String) -> [String] {
    let all = FileManager.default.enumerator(atPath: ground.path(output + "/.pipe/segments"))
    return (all?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".segment") }
  }

  @Test(arguments: clips.keys.sorted()) func theSameFileComesOut(_ name: String) async throws {
    let ground = try Playground()
    try clip(ground, name, try #require(Self.clips[name]))
    let cut = try await run(ground, try pipeline(ground, segment: "2s"), "a")
    #expect(cut.code == .success, "\(cut.failures) \(cut.remarks)")
    #expect(try await run(ground, try pipeline(ground, segment: nil), "b").code == .success)
    let output = (name as NSString).deletingPathExtension + ".mkv"
    #expect(try segments(ground, "a/.pipe/receipts/\(output).json") == .int(name == "fields.mkv" ? 3 : 4))
    #expect(ground.bytes("a/" + output) == ground.bytes("b/" + output))
    #expect(!ground.exists("a/.pipe/segments"))
  }

  @Test func anEditListIsKept() async throws {
    let ground = try Playground()
    try clip(ground, "open.mkv", try #require(Self.clips["open.mkv"]))
    try clip(ground, "edit.mp4", "-ss 1.3 -i \(ground.path("in/open.mkv")) -c copy")
    try FileManager.default.removeItem(atPath: ground.path("in/open.mkv"))
    #expect(try await run(ground, try pipeline(ground, segment: "2s"), "a").code == .success)
    #expect(try await run(ground, try pipeline(ground, segment: nil), "b").code == .success)
    #expect(try segments(ground, "a/.pipe/receipts/edit.mkv.json") == .int(3))
    #expect(ground.bytes("a/edit.mkv") == ground.bytes("b/edit.mkv"))
  }

  @Test(arguments: ["hevc", "h264", "av1"]) func lossyStreamsAreJoinedWithoutAGap(_ codec: String) async throws {
    let ground = try Playground()
    try clip(ground, "open.mkv", try #require(Self.clips["open.mkv"]))
    let encode = "{ codec: \(codec), preset: ultrafast }"
    let cut = try await run(ground, try pipeline(ground, segment: "2s", encode: encode), "a")
    #expect(cut.code == .success, "\(cut.failures) \(cut.remarks)")
    #expect(try await run(ground, try pipeline(ground, segment: nil, encode: encode), "b").code == .success)
    #expect(try segments(ground, "a/.pipe/receipts/open.mkv.json") == .int(4))
    // Empty sections of ffprobe's leave commas and blank lines.
    func lines(_ text: String) -> [Substring] {
      text.split { $0.isNewline }.map { $0.last == "," ? $0.dropLast() : $0 }
    }
    let ask = ["ffprobe", "-v", "error", "-of", "csv=p=0", "-select_streams"]
    for (stream, what) in [("v", "frame=pts,duration"), ("v", "packet=dts"), ("a", "packet=pts,dts,size,data_hash")] {
      let show = ["-show_data_hash", "md5", "-show_entries", what]
      let (a, b) = (
        lines(try Tools.run(ask + [stream] + show + [ground.path("a/open.mkv")])),
        lines(try Tools.run(ask + [stream] + show + [ground.path("b/open.mkv")]))
      )
      #expect(a == b, "\(what)")
      #expect(a.count >= 200)
    }
  }

  /// Waits until so many segments are there, two minutes at most. Not in a task that may have to wait for other tests
  /// until the run is over.
  private func wait(for count: Int, _ ground: Playground, _ process: Process) {
    var looks = 12_000
    while looks > 0, process.isRunning, pieces(ground, "a").count < count {
      usleep(10_000)
      looks -= 1
    }
  }

  @Test func aKilledRunGoesOnWithTheMissingSegments() async throws {
    let ground = try Playground()
    try clip(ground, "open.mkv", try #require(Self.clips["open.mkv"]))
    let slow = "deinterlace: auto, resize: 5"
    let pipeline = try pipeline(ground, segment: "1s", filters: slow)
    let process = Process()
    process.executableURL = URL(filePath: Self.pipe)
    process.arguments = ["run", pipeline, ground.path("in"), "-o", ground.path("a"), "-q"]
    try process.run()
    wait(for: 2, ground, process)
    kill(process.processIdentifier, SIGKILL)
    while process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
    let there = pieces(ground, "a").count
    #expect((2..<8).contains(there))
    #expect(ground.files("a").allSatisfy { $0.hasSuffix(".part") })

    let again = try await run(ground, pipeline, "a")
    #expect(again.code == .success, "\(again.failures)")
    #expect(again.remarks.contains { $0.contains("of 8 segments are there already") }, "\(again.remarks)")
    let whole = try self.pipeline(ground, segment: nil, filters: slow)
    #expect(try await run(ground, whole, "b").code == .success)
    #expect(ground.bytes("a/open.mkv") == ground.bytes("b/open.mkv"))
    #expect(!ground.exists("a/.pipe/segments"))
    #expect(ground.files("a") == ["open.mkv"])
  }

  /// Stops a run once a stretch of it is there.
  private func stopped(_ ground: Playground, _ pipeline: String) async throws -> Playground.Outcome {
    let stop = StopFlag()
    async let outcome = run(ground, pipeline, "a", stop: stop) { $0.jobs = 1 }
    for _ in 0..<12_000 {
      guard pieces(ground, "a").isEmpty else { break }
      try await Task.sleep(for: .milliseconds(10))
    }
    stop.raise(.checkpoint, "test")
    return try await outcome
  }

  @Test func aStopKeepsWhatIsFinishedAndOtherSettingsDoNotTakeIt() async throws {
    let ground = try Playground()
    try clip(ground, "open.mkv", try #require(Self.clips["open.mkv"]))
    let pipeline = try pipeline(ground, segment: "1s", filters: "resize: 5")
    let first = try await stopped(ground, pipeline)
    #expect(first.code == .tryAgain)
    #expect(first.summary?.left == 1)
    #expect((1..<8).contains(pieces(ground, "a").count))

    let other = try await run(ground, pipeline, "a") { $0.settings = ["encode.audio=none"] }
    #expect(other.code == .success)
    #expect(!other.remarks.contains { $0.contains("already") })
    #expect(!ground.exists("a/.pipe/segments"))
  }

  @Test func damagedSegmentsAreMadeAgain() async throws {
    let ground = try Playground()
    try clip(ground, "open.mkv", try #require(Self.clips["open.mkv"]))
    let pipeline = try pipeline(ground, segment: "1s", filters: "resize: 5")
    _ = try await stopped(ground, pipeline)
    let piece = ground.path("a/.pipe/segments/" + (try #require(pieces(ground, "a").first)))
    let file = try #require(FileHandle(forUpdatingAtPath: piece))
    try file.seek(toOffset: 4000)
    try file.write(contentsOf: Data("not what it was".utf8))
    try file.close()
    let again = try await run(ground, pipeline, "a")
    #expect(again.code == .success, "\(again.failures)")
    let whole = try self.pipeline(ground, segment: nil, filters: "resize: 5")
    #expect(try await run(ground, whole, "b").code == .success)
    #expect(ground.bytes("a/open.mkv") == ground.bytes("b/open.mkv"))
  }

  @Test func aStoppedRunLeavesFinishedSegmentsAlone() async throws {
    let ground = try Playground()
    try clip(ground, "open.mkv", try #require(Self.clips["open.mkv"]))
    let process = Process()
    process.executableURL = URL(filePath: Self.pipe)
    process.arguments = [
      "run", try pipeline(ground, segment: "1s", filters: "resize: 5"), ground.path("in"), "-o", ground.path("a"), "-q",
    ]
    try process.run()
    wait(for: 1, ground, process)
    // Once for the next checkpoint, twice for at once.
    while process.isRunning {
      kill(process.processIdentifier, SIGINT)
      try await Task.sleep(for: .milliseconds(200))
    }
    #expect([ExitCode.tryAgain, .aborted].map(\.rawValue).contains(process.terminationStatus))
    let segments = ground.files("a/.pipe/segments")
    #expect(segments.contains { $0.hasSuffix(".segment") })
    #expect(!segments.contains { $0.hasSuffix(".part") }, "\(segments)")
  }

  @Test func chainsThatNeedAllFramesAreNotCut() throws {
    for (stages, word) in [
      ("[decode: { fps: 10 }, encode]", "fps"), ("[decode, deinterlace: telecine, encode]", "deinterlace"),
      ("[decode, encode: { params: { vbv-maxrate: 900, vbv-bufsize: 900 } }]", "vbv-bufsize"),
      ("[decode, save]", "save"),
    ] {
      let chain = try Chain(
        text: "version: 1\ninputs: { include: [\"*\"] }\noutput: \"{stem}.mkv\"\nsegment: 2s\nstages: \(stages)",
        file: "t.yml", registry: builtinStages)
      #expect(chain.cutObstacle?.contains(word) == true, "\(stages)")
    }
  }
}
