using Llava.ModelCore.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Models;

/// <summary>Slopes and biases by the paper's own numbers.</summary>
public sealed class AlibiTests
{
    static AlibiTests() => Native.TorchLibrary.EnsureLoaded();

    [Fact]
    public void Eight_heads_have_the_papers_slopes()
    {
        Assert.Equal([0.5f, 0.25f, 0.125f, 0.0625f, 0.03125f, 0.015625f, 0.0078125f, 0.00390625f], Alibi.Slopes(8, 8));
    }

    [Fact]
    public void Heads_that_are_no_power_of_two_take_every_other_slope_of_the_next_one_first()
    {
        Assert.Equal([0.25f, 0.0625f, 0.015625f, 0.00390625f, 0.5f, 0.125f], Alibi.Slopes(6, 8));
    }

    [Fact]
    public void A_key_loses_by_its_distance_to_the_row()
    {
        using var scope = NewDisposeScope();
        var bias = Alibi.Bias(tensor(Alibi.Slopes(2, 2)), first: 2, rows: 2, keys: 4);

        Assert.Equal([2, 2, 4], bias.shape);
        Assert.Equal([-1f, -0.5f, 0, 0.5f, -1.5f, -1, -0.5f, 0], bias[0].flatten().data<float>().ToArray());
    }
}
