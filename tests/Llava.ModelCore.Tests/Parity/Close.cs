using Llava.ModelCore.Native;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Parity;

/// <summary>Comparison of tensors with an absolute tolerance.</summary>
internal static class Close
{
    public static void Require(string name, Tensor expected, Tensor actual, double tolerance)
    {
        Assert.True(expected.shape.SequenceEqual(actual.shape), $"{name}: expected shape [{string.Join(", ", expected.shape)}], actual [{string.Join(", ", actual.shape)}].");
        var worst = expected.to(ScalarType.Float64).add(actual.to(ScalarType.Float64), Scalars.Of(-1)).abs().max().item<double>();
        // Written so that NaN fails too.
        Assert.True(worst <= tolerance, $"{name}: differs by {worst:g3}, allowed is {tolerance:g3}.");
    }
}
