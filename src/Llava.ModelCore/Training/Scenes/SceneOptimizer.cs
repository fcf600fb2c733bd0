using Llava.ModelCore.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>AdamW with decoupled decay on matrices and the gradient's norm clipped to 1 (Loshchilov and Hutter 2019).</summary>
/// <param name="parameters">What is trained, by name.</param>
/// <param name="weightDecay">Decay of parameters with two or more dimensions, embeddings excepted.</param>
internal sealed class SceneOptimizer(IReadOnlyList<(string Name, Parameter Value)> parameters, double weightDecay) : IDisposable
{
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.98;

    private readonly Tensor[] _mean = [.. parameters.Select(p => zeros_like(p.Value).DetachFromDisposeScope())];
    private readonly Tensor[] _square = [.. parameters.Select(p => zeros_like(p.Value).DetachFromDisposeScope())];
    private readonly double[] _decay = [.. parameters.Select(p => p.Value.dim() > 1 && !p.Name.Contains("embed", StringComparison.Ordinal) ? weightDecay : 0)];

    /// <summary>Steps made.</summary>
    public long Steps { get; set; }

    /// <summary>The moments, named for a snapshot.</summary>
    public IEnumerable<(string Name, Tensor Value)> State => parameters
        .SelectMany((p, i) => new[] { ($"optimizer.mean.{p.Name}", _mean[i]), ($"optimizer.square.{p.Name}", _square[i]) });

    /// <summary>One step with the gradients that the parameters hold, which are then dropped.</summary>
    /// <returns>Norm of all gradients before clipping.</returns>
    public double Step(double learningRate)
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        var gradients = parameters.Select(p => p.Value.grad ?? throw new InvalidOperationException($"'{p.Name}' got no gradient.")).ToArray();
        var norm = stack(gradients.Select(g => g.square().sum()).ToArray()).sum().sqrt().item<float>();
        Steps++;
        // Scalars that change every step are held for as long as the native calls read them.
        using var clip = ((float)(1 / Math.Max(norm, 1))).ToScalar();
        using var root = ((float)Math.Sqrt(1 - Math.Pow(Beta2, Steps))).ToScalar();
        using var move = ((float)(-learningRate / (1 - Math.Pow(Beta1, Steps)))).ToScalar();
        using var shrink = ((float)(1 - (learningRate * weightDecay))).ToScalar();
        for (var i = 0; i < parameters.Count; i++)
        {
            using var inner = NewDisposeScope();
            var gradient = gradients[i].mul_(clip);
            _mean[i].mul_(Scalars.Of(Beta1)).add_(gradient, Scalars.Of(1 - Beta1));
            _square[i].mul_(Scalars.Of(Beta2)).addcmul_(gradient, gradient, Scalars.Of(1 - Beta2));
            if (_decay[i] > 0)
            {
                parameters[i].Value.mul_(shrink);
            }

            parameters[i].Value.addcdiv_(_mean[i], _square[i].sqrt().div_(root).add_(Scalars.Of(1e-8)), move);
            gradient.zero_();
        }

        return norm;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var moment in _mean.Concat(_square))
        {
            moment.Dispose();
        }
    }
}
