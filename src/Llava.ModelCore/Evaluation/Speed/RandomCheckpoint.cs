using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Kernels.Decoding;
using Llava.ModelCore.Kernels.Files;
using Llava.ModelCore.Kernels.Linear;
using Llava.ModelCore.Native;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.ModelCore.Evaluation.Speed;

/// <summary>A LLaVA-1.5 of a benchmark's shape with random weights, for measuring what does not depend on what they say.</summary>
public static class RandomCheckpoint
{
    /// <summary>Writes a packed checkpoint tensor by tensor, so that a model is written that would not fit into memory as it is.</summary>
    /// <param name="folder">Made if need be; must hold no weights.</param>
    /// <param name="shape">Name of a <see cref="BenchmarkShape"/>; the vision tower is CLIP ViT-L/14 at 336 pixels.</param>
    /// <param name="scheme">How the language model is kept; not <see cref="QuantizationScheme.None"/>.</param>
    /// <param name="tokenizerFolder">Whose tokenizer is copied; must know no more tokens than the shape.</param>
    public static void Write(string folder, string shape, QuantizationScheme scheme, string tokenizerFolder)
    {
        TorchLibrary.EnsureLoaded();
        var config = ConfigOf(shape);
        var shapes = ModelParameters.Of(config).ToDictionary(parameter => parameter.Name, parameter => parameter.Shape.ToArray());
        PackedCheckpointWriter.Write(folder, config, scheme, name => Make(name, shapes[name]), _ => ScalarType.Float16, new CheckpointWriteOptions { TokenizerFolder = tokenizerFolder });
    }

    /// <summary>Bytes of the written file, without its header.</summary>
    public static long FileBytes(string shape, QuantizationScheme scheme) => DecoderWeights.Estimate(BenchmarkShape.All[shape], scheme, ScalarType.Float16)
        + ModelParameters.Of(ConfigOf(shape)).Where(parameter => !parameter.Name.StartsWith(ModelParameters.LanguageModel, StringComparison.Ordinal))
            .Sum(parameter => scheme.RoundsActivations() && ModelParameters.IsImageMatrix(parameter) ? ImageMatrix.BytesOf(parameter) : sizeof(ushort) * parameter.Shape.Aggregate(1L, (count, size) => count * size));

    /// <summary>Bytes of the weights that a decoding step reads.</summary>
    public static long StepBytes(string shape, QuantizationScheme scheme)
    {
        var table = DecoderPart.Table(BenchmarkShape.All[shape]);
        return DecoderWeights.Estimate(BenchmarkShape.All[shape], scheme, ScalarType.Float16) - DecoderFormats.BytesOf(table, DecoderFormats.Of(scheme, table, ScalarType.Float16));
    }

    private static LlavaConfig ConfigOf(string shape)
    {
        var (language, vision) = (BenchmarkShape.All[shape] with { MaxPositions = 4096 }, VisionConfigReader.LargePatch14At336);
        return new()
        {
            LanguageModel = language,
            Vision = vision,
            Projector = new ProjectorConfig { InputSize = vision.HiddenSize, OutputSize = language.HiddenSize, Depth = 2 },
            ImageAspect = ImageAspect.Pad,
        };
    }

    // Norms of one and weights that keep the size of what passes through them.
    private static Tensor Make(string name, long[] shape) => name.Contains("norm", StringComparison.Ordinal) && name.EndsWith("weight", StringComparison.Ordinal)
        ? ones(shape, ScalarType.Float16)
        : rand(shape, ScalarType.Float32).sub_(Scalars.Of(0.5)).mul_(Scalars.Of(3 / Math.Sqrt(shape[^1]))).to(ScalarType.Float16);
}
