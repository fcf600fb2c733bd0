using Llava.ModelCore.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter 2019), β 0.9/0.999, ε 1e-8, in the order of operations of
/// PyTorch's single-tensor implementation, so that parameters follow it to rounding. Gradients exist from the start as zeros:
/// a step in which a parameter played no part moves its moments as upstream's dummy features do.
/// </summary>
public sealed class AdamW : IDisposable
{
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.999;
    private const double Epsilon = 1e-8;

    private readonly Dictionary<string, (Tensor First, Tensor Second)> _moments = [];

    /// <summary>Makes the optimizer with moments of zero.</summary>
    public AdamW(IReadOnlyList<ParameterGroup> groups)
    {
        Groups = groups;
        foreach (var (name, value) in Parameters)
        {
            _moments[name] = (zeros_like(value).DetachFromDisposeScope(), zeros_like(value).DetachFromDisposeScope());
            using var noGradient = zeros_like(value);
            value.grad = noGradient;
        }
    }

    /// <summary>What is updated, and how fast.</summary>
    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>Updates made so far.</summary>
    public int Steps { get; private set; }

    /// <summary>All parameters, group by group.</summary>
    public IEnumerable<TrainableParameter> Parameters => Groups.SelectMany(group => group.Parameters);

    /// <summary>Moments by name: <c>exp_avg.{parameter}</c> and <c>exp_avg_sq.{parameter}</c>, float32, owned by the optimizer.</summary>
    public IEnumerable<(string Name, Tensor Value)> State => _moments.SelectMany(moment =>
        new[] { ("exp_avg." + moment.Key, moment.Value.First), ("exp_avg_sq." + moment.Key, moment.Value.Second) });

    /// <summary>Updates every parameter from its gradient.</summary>
    /// <param name="factor">The schedule's factor on each group's learning rate.</param>
    public void Step(double factor)
    {
        using var noGrad = no_grad();
        Steps++;
        var rootCorrection = Math.Sqrt(1 - Math.Pow(Beta2, Steps));
        foreach (var group in Groups)
        {
            var rate = group.LearningRate * factor;
            using var keep = (1 - (rate * group.WeightDecay)).ToScalar();
            using var stepSize = (-rate / (1 - Math.Pow(Beta1, Steps))).ToScalar();
            using var correction = rootCorrection.ToScalar();
            foreach (var (name, value) in group.Parameters)
            {
                using var scope = NewDisposeScope();
                var (first, second) = _moments[name];
                var gradient = value.grad!;
                value.mul_(keep);
                first.mul_(Scalars.Of(Beta1)).add_(gradient, Scalars.Of(1 - Beta1));
                second.mul_(Scalars.Of(Beta2)).addcmul_(gradient, gradient, Scalars.Of(1 - Beta2));
                value.addcdiv_(first, second.sqrt().div_(correction).add_(Scalars.Of(Epsilon)), stepSize);
            }
        }
    }

    /// <summary>Sets every gradient to zero.</summary>
    public void ClearGradients()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (_, value) in Parameters)
        {
            value.grad!.zero_();
        }
    }

    /// <summary>L2 norm over all gradients together.</summary>
    public double GradientNorm()
    {
        using var scope = NewDisposeScope();
        return stack(Parameters.Select(parameter => parameter.Value.grad!.norm())).norm().item<float>();
    }

    /// <summary>Scales all gradients so that their norm is at most <paramref name="limit"/>.</summary>
    /// <param name="norm">Their present norm.</param>
    /// <param name="limit">Greater than 0.</param>
    public void ClipGradients(double norm, double limit)
    {
        if (norm <= limit)
        {
            return;
        }

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var scale = (limit / (norm + 1e-6)).ToScalar();
        foreach (var (_, value) in Parameters)
        {
            value.grad!.mul_(scale);
        }
    }

    /// <summary>Continues from saved moments.</summary>
    /// <param name="steps">Updates made before they were saved.</param>
    /// <param name="read">Gives the saved tensor of a name of <see cref="State"/>.</param>
    /// <exception cref="TrainingException">A saved tensor has another shape.</exception>
    public void Restore(int steps, Func<string, Tensor> read)
    {
        using var noGrad = no_grad();
        foreach (var (name, value) in State)
        {
            using var scope = NewDisposeScope();
            var saved = read(name);
            if (!saved.shape.SequenceEqual(value.shape))
            {
                throw new TrainingException($"The saved optimizer state '{name}' has shape [{string.Join(", ", saved.shape)}], but the model needs [{string.Join(", ", value.shape)}]. Resume with the recipe the run was started with.");
            }

            value.copy_(saved);
        }

        Steps = steps;
    }

    /// <summary>Frees the moments and the gradients.</summary>
    public void Dispose()
    {
        foreach (var (_, value) in State)
        {
            value.Dispose();
        }

        foreach (var (_, value) in Parameters)
        {
            value.grad = null;
        }
    }
}
