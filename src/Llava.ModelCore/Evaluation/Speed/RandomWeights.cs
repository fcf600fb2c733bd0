using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Decoding;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.ModelCore.Evaluation.Speed;

/// <summary>Random weights of a shape, bfloat16 as checkpoints have them; a parameter's are the same whoever asks for them and when.</summary>
internal sealed class RandomWeights
{
    private readonly Dictionary<string, long[]> _shapes;

    public RandomWeights(LlavaConfig config)
    {
        TorchLibrary.EnsureLoaded();
        Config = config;
        _shapes = ModelParameters.Of(Config).ToDictionary(parameter => parameter.Name, parameter => parameter.Shape.ToArray());
    }

    /// <summary>The shape.</summary>
    public LlavaConfig Config { get; }

    /// <summary>The language model for our own kernels.</summary>
    public DecoderWeights Pack(QuantizationScheme scheme, int threads)
    {
        using WorkerPool pool = new(threads);
        return DecoderWeights.Pack(Config.LanguageModel, scheme, Read, pool);
    }

    /// <summary>For the reference, or vision tower and projector alone.</summary>
    public LlavaModel Model(bool hasLanguage = true)
    {
        LlavaModel model = new(Config, hasLanguage);
        using var mode = no_grad();
        foreach (var (name, parameter) in model.named_parameters())
        {
            using var values = Read(name);
            parameter.copy_(values);
        }

        return model;
    }

    /// <summary>A parameter by its name in our own layout, bfloat16; the caller disposes it.</summary>
    public Tensor Read(string name)
    {
        using Generator generator = new(Seed(name));
        using var values = rand(_shapes[name], ScalarType.Float32, generator: generator);
        return values.sub_(Scalars.Of(0.5)).mul_(Scalars.Of(0.1)).to(ScalarType.BFloat16);
    }

    private static ulong Seed(string name) => name.Aggregate(14_695_981_039_346_656_037UL, (hash, letter) => (hash ^ letter) * 1_099_511_628_211UL);
}
