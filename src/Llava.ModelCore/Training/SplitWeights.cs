using Llava.ModelCore.Models;
using Llava.ModelCore.Quantization;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training;

/// <summary>
/// Matrices of the decoder that learn, kept in two halves: the model has the bfloat16 that products take, and beside it lies what makes float32 of it, for the optimizer.
/// </summary>
internal sealed class SplitWeights : IDisposable
{
    private readonly Dictionary<string, Tensor> _low = [];

    /// <summary>Splits the decoder's matrices, the head's too, one after the other.</summary>
    public SplitWeights(LlavaModel model)
    {
        using var noGrad = no_grad();
        foreach (var (name, module) in model.Language.named_modules())
        {
            if (module is LinearLayer { Bias: null } layer)
            {
                using var scope = NewDisposeScope();
                var whole = layer.Weight.detach().clone();
                layer.to(ScalarType.BFloat16);
                var low = empty_like(whole, ScalarType.Int16).DetachFromDisposeScope();
                SplitFloat.Split(whole, layer.Weight, low);
                _low[$"language_model.{name}.weight"] = low;
            }
        }
    }

    /// <summary>int16, the lower half of a parameter; null where it is not split.</summary>
    public Tensor? LowOf(string parameter) => _low.GetValueOrDefault(parameter);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var low in _low.Values)
        {
            low.Dispose();
        }
    }
}
