using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Shim;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Quantization;

/// <summary>
/// float32 in two halves, each of 16 bits: the nearest bfloat16, halves away from zero, and the bits below it as a signed number that is added to it. Together they are the float32, to the bit.
/// </summary>
internal static class SplitFloat
{
    private static readonly Lazy<TorchOperator> View = new(() => new("aten::view", "dtype"));

    /// <summary>Splits numbers.</summary>
    /// <param name="whole">float32, contiguous.</param>
    /// <param name="high">bfloat16 of the same shape, written.</param>
    /// <param name="low">int16 of the same shape, written.</param>
    public static void Split(Tensor whole, Tensor high, Tensor low)
    {
        using var scope = NewDisposeScope();
        var halves = As(whole, ScalarType.Int16).view([.. whole.shape, 2]);
        low.copy_(halves.select(-1, 0));
        // What is half a step or more, a negative number to the lower bits, belongs to the next.
        As(high, ScalarType.Int16).copy_(halves.select(-1, 1).add(Carried(low), Scalars.OfInteger(1)));
    }

    /// <summary>The numbers again, float32; the caller disposes them.</summary>
    public static Tensor Join(Tensor high, Tensor low)
    {
        using var scope = NewDisposeScope();
        var upper = As(high, ScalarType.Int16).add(Carried(low), Scalars.OfInteger(-1));
        return As(stack([low, upper], -1), ScalarType.Float32).view(low.shape).MoveToOuterDisposeScope();
    }

    private static Tensor Carried(Tensor low) => low.lt(Scalars.OfInteger(0)).to(ScalarType.Int16);

    /// <summary>The same bits as numbers of another type.</summary>
    private static Tensor As(Tensor tensor, ScalarType type) => StableShim.Wrap(View.Value.Invoke(tensor.detach().Handle, (long)type));
}
