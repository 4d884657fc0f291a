import Pipeline

/// Every stage that pipelines may name, in the order in which `pipe stages` lists them: one line each.
public let builtinStages = StageRegistry([
  Decode.self,
  Rasterize.self,
  Deinterlace.self,
  Denoise.self,
  Upscale.self,
  Resize.self,
  Rotate.self,
  Deskew.self,
  Clean.self,
  OCR.self,
  Encode.self,
  Save.self,
  Document.self,
])
