// swift-tools-version: 6.2
import PackageDescription

// Every module may import only those above it in this list: that order is the architecture.

let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]

/// Kernels are always optimised, or `swift test` would run them fifty times slower.
func kernel(_ instructionSet: [String]) -> [SwiftSetting] {
  strict + [
    .unsafeFlags(instructionSet.flatMap { ["-Xcc", $0] }),
    .unsafeFlags(["-O"], .when(configuration: .debug)),
  ]
}

#if arch(x86_64)
  let vectorLevels: [Target] = [
    .target(
      name: "KernelsAVX2", dependencies: ["CKernelSupport", "KernelBody"],
      swiftSettings: kernel(["-mavx2", "-mfma"])),
    .target(
      name: "KernelsAVXVNNI", dependencies: ["CKernelSupport", "KernelBody"],
      swiftSettings: kernel(["-mavx2", "-mfma", "-mavxvnni"])),
    .target(
      name: "KernelsVNNI", dependencies: ["CKernelSupport", "KernelBody"],
      swiftSettings: kernel(["-mavx2", "-mfma", "-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512vnni"])),
  ]
#else
  let vectorLevels: [Target] = []
#endif
let levelDependencies: [Target.Dependency] = vectorLevels.map { .init(stringLiteral: $0.name) }

let package = Package(
  name: "pipe",
  products: [.executable(name: "pipe", targets: ["pipe"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    // The C libraries of Debian.
    .systemLibrary(
      name: "CFFmpeg", pkgConfig: "libavfilter libavformat libavcodec libswscale libavutil",
      providers: [.apt(["libavfilter-dev", "libavformat-dev", "libavcodec-dev", "libswscale-dev", "libavutil-dev"])]),
    .systemLibrary(
      name: "CTesseract", pkgConfig: "tesseract lept", providers: [.apt(["libtesseract-dev", "libleptonica-dev"])]),
    .systemLibrary(
      name: "CPoppler", pkgConfig: "poppler-glib cairo", providers: [.apt(["libpoppler-glib-dev"])]),
    .systemLibrary(name: "CQPDF", pkgConfig: "libqpdf", providers: [.apt(["libqpdf-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    // Integer kernels: one generic body, one module an instruction set.
    .target(name: "CKernelSupport"),
    .target(name: "KernelBody", swiftSettings: kernel([])),
    .target(name: "KernelsBaseline", dependencies: ["CKernelSupport", "KernelBody"], swiftSettings: kernel([])),
    .target(
      name: "Kernels", dependencies: ["CKernelSupport", "KernelBody", "KernelsBaseline"] + levelDependencies,
      swiftSettings: strict),

    // Data that flows, and the libraries' owners.
    .target(name: "Frames", swiftSettings: strict),
    .target(name: "Media", dependencies: ["CFFmpeg", "Frames"], swiftSettings: strict),
    .target(
      name: "Inference",
      dependencies: [
        "CKernelSupport", "Kernels", "Frames", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["ONNX/onnx.proto"],
      swiftSettings: kernel([])),
    .target(
      name: "Documents", dependencies: ["CTesseract", "CPoppler", "CQPDF", "CZlib", "Frames"], swiftSettings: strict),

    // The language, its stages, and what runs them.
    .target(
      name: "Pipeline",
      dependencies: [
        "Frames", .product(name: "Yams", package: "Yams"), .product(name: "Logging", package: "swift-log"),
        .product(name: "Collections", package: "swift-collections"),
      ], swiftSettings: strict),
    .target(name: "Stages", dependencies: ["Pipeline", "Media", "Inference", "Documents"], swiftSettings: strict),
    .target(
      name: "Batch",
      dependencies: ["Documents", "Pipeline", "Stages", .product(name: "Subprocess", package: "swift-subprocess")],
      swiftSettings: strict),
    .executableTarget(
      name: "pipe",
      dependencies: ["Batch", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: strict),

    // What tests share: random cases, stages that fail on demand, and the program with them.
    .target(name: "Randomness", path: "Tests/Support/Randomness", swiftSettings: strict),
    .target(
      name: "FaultyStages", dependencies: ["Pipeline"], path: "Tests/Support/FaultyStages", swiftSettings: strict),
    .executableTarget(
      name: "FaultyPipe", dependencies: ["Batch", "FaultyStages"], path: "Tests/Support/FaultyPipe",
      swiftSettings: strict),

    .testTarget(name: "BatchTests", dependencies: ["Batch", "FaultyStages", "Media", "Stages"], swiftSettings: strict),
    .testTarget(name: "CommandTests", dependencies: ["Batch", "Stages"], swiftSettings: strict),
    .testTarget(name: "FramesTests", dependencies: ["Frames"], swiftSettings: strict),
    .testTarget(
      name: "InferenceTests",
      dependencies: [
        "Inference", "Kernels", "Frames", "Randomness", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["Goldens"],
      swiftSettings: strict),
    .testTarget(name: "KernelsTests", dependencies: ["Kernels", "Randomness"], swiftSettings: strict),
    .testTarget(name: "MediaTests", dependencies: ["Media"], swiftSettings: strict),
    .testTarget(name: "PipelineTests", dependencies: ["Pipeline", "Randomness"], swiftSettings: strict),
    .testTarget(name: "DocumentsTests", dependencies: ["Documents", "CTesseract"], swiftSettings: strict),
    .testTarget(name: "StagesTests", dependencies: ["Stages", "Media"], swiftSettings: strict),
  ] + vectorLevels
)
