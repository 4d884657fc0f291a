import Pipeline

/// Every stage that pipelines may name, in the order in which `pipe stages` lists them: one line each.
public let builtinStages = StageRegistry([
  Rasterize.self,
  Upscale.self,
  Rotate.self,
  Deskew.self,
  Clean.self,
  OCR.self,
  Document.self,
])
