using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Decoding;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.ModelCore.Evaluation.Speed;

/// <summary>Random weights of a shape, bfloat16 as checkpoints have them.</summary>
internal sealed class RandomWeights
{
    private readonly Dictionary<string, long[]> _shapes;

    public RandomWeights(LanguageModelConfig config)
    {
        TorchLibrary.EnsureLoaded();
        Config = new LlavaConfig { LanguageModel = config };
        _shapes = ModelParameters.Of(Config).ToDictionary(parameter => parameter.Name, parameter => parameter.Shape.ToArray());
    }

    /// <summary>The shape, without images.</summary>
    public LlavaConfig Config { get; }

    /// <summary>For our own kernels.</summary>
    public DecoderWeights Pack(QuantizationScheme scheme, int threads)
    {
        using WorkerPool pool = new(threads);
        return DecoderWeights.Pack(Config.LanguageModel, scheme, Make, pool);
    }

    /// <summary>For the reference.</summary>
    public LlavaModel Model()
    {
        LlavaModel model = new(Config);
        using var mode = no_grad();
        foreach (var (name, parameter) in model.named_parameters())
        {
            using var values = Make(name);
            parameter.copy_(values);
        }

        return model;
    }

    private Tensor Make(string name) => rand(_shapes[name], ScalarType.Float32).sub_(Scalars.Of(0.5)).mul_(Scalars.Of(0.1)).to(ScalarType.BFloat16);
}
