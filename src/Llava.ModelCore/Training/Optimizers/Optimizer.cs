using Llava.ModelCore.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Optimizers;

/// <summary>
/// Updates parameters from their gradients, all at once or a part of the model at a time, so that one part's gradients can be dropped before the next part's
/// are made. A parameter without a gradient counts as one whose gradient is zero: its state moves as upstream's dummy features move it.
/// </summary>
/// <param name="groups">What is updated, and how fast.</param>
internal abstract class Optimizer(IReadOnlyList<ParameterGroup> groups) : IDisposable
{
    private readonly Dictionary<string, ParameterGroup> _groups = groups.SelectMany(group => group.Parameters.Select(parameter => (parameter.Name, group))).ToDictionary(StringComparer.Ordinal);

    /// <summary>What is updated, and how fast.</summary>
    public IReadOnlyList<ParameterGroup> Groups { get; } = groups;

    /// <summary>Updates made so far.</summary>
    public int Steps { get; private set; }

    /// <summary>All parameters, group by group.</summary>
    public IEnumerable<TrainableParameter> Parameters => Groups.SelectMany(group => group.Parameters);

    /// <summary>What it remembers, by names that are unique; owned by the optimizer.</summary>
    public abstract IEnumerable<RememberedTensor> State { get; }

    /// <summary>Makes the optimizer that a recipe names, with nothing remembered.</summary>
    public static Optimizer For(IReadOnlyList<ParameterGroup> groups, OptimizerKind kind) => kind switch
    {
        OptimizerKind.Adamw8bit => new AdamW8Bit(groups),
        OptimizerKind.Adafactor => new Adafactor(groups),
        _ when groups.SelectMany(group => group.Parameters).All(parameter => parameter.Value.device_type == DeviceType.CUDA) => new FusedAdamW(groups),
        _ => new AdamW(groups),
    };

    /// <summary>Updates every parameter from its gradient.</summary>
    /// <param name="factor">The schedule's factor on each group's learning rate.</param>
    public void Step(double factor)
    {
        Begin();
        Update([.. Parameters], factor);
    }

    /// <summary>Sets every gradient to zero.</summary>
    public void ClearGradients()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (_, value) in Parameters)
        {
            if (value.grad is { } gradient)
            {
                gradient.zero_();
            }
            else
            {
                value.grad = zeros_like(value);
            }
        }
    }

    /// <summary>Frees every gradient.</summary>
    public void DropGradients()
    {
        foreach (var (_, value) in Parameters)
        {
            value.grad = null;
        }
    }

    /// <summary>L2 norm over all gradients together.</summary>
    public double GradientNorm()
    {
        using var norm = NormOf(Parameters);
        return norm is null ? 0 : Transfers.Read(norm)[0];
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
            value.grad?.mul_(scale);
        }
    }

    /// <summary>Continues from what was saved.</summary>
    /// <param name="steps">Updates made before.</param>
    /// <param name="read">Gives the saved tensor of a name of <see cref="State"/>.</param>
    /// <exception cref="TrainingException">A saved tensor has another shape.</exception>
    public void Restore(int steps, Func<string, Tensor> read)
    {
        using var noGrad = no_grad();
        foreach (var (name, value) in State.Select(state => (state.Name, state.Value)))
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

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var state in State)
        {
            state.Value.Dispose();
        }

        DropGradients();
    }

    /// <summary>Counts the step whose parts are updated next.</summary>
    internal void Begin() => Steps++;

    /// <summary>L2 norm over the gradients of some parameters, where they are; null where none has one. The caller disposes it.</summary>
    internal static Tensor? NormOf(IEnumerable<TrainableParameter> parameters)
    {
        using var scope = NewDisposeScope();
        List<Tensor> norms = [.. parameters.Select(parameter => parameter.Value.grad).OfType<Tensor>().Select(gradient => gradient.to(ScalarType.Float32).norm())];
        return norms.Count == 0 ? null : stack(norms.Select(norm => norm.to(norms[0].device))).norm().DetachFromDisposeScope();
    }

    /// <summary>Updates some parameters in the step that was begun.</summary>
    internal void Update(IReadOnlyList<TrainableParameter> parameters, double factor)
    {
        using var noGrad = no_grad();
        foreach (var group in parameters.GroupBy(parameter => _groups[parameter.Name]))
        {
            var (rate, decay) = (group.Key.LearningRate * factor, group.Key.WeightDecay);
            using (NewDisposeScope())
            {
                Update([.. group.Where(parameter => parameter.Low is null)], rate, decay);
            }

            // One at a time: each is whole only while it is updated.
            foreach (var parameter in group.Where(parameter => parameter.Low is not null))
            {
                using var scope = NewDisposeScope();
                var whole = parameter with { Value = parameter.Whole(), Low = null };
                whole.Value.grad = GradientOf(parameter.Value).to(ScalarType.Float32);
                Update([whole], rate, decay);
                parameter.Set(whole.Value);
            }
        }
    }

    /// <summary>Updates parameters that have a learning rate and a weight decay in common; what is made here is freed by the caller.</summary>
    protected virtual void Update(IReadOnlyList<TrainableParameter> parameters, double rate, double decay)
    {
        foreach (var (name, value) in parameters)
        {
            using var scope = NewDisposeScope();
            Update(name, value, GradientOf(value), rate, decay);
        }
    }

    /// <summary>A parameter's gradient; zeros where it has none.</summary>
    protected static Tensor GradientOf(Tensor value) => value.grad ?? zeros_like(value);

    /// <summary>Makes room for what is remembered; zero.</summary>
    protected static Tensor Remembered(ReadOnlySpan<long> shape, Tensor like, ScalarType type = ScalarType.Float32) =>
        zeros(shape.ToArray(), type, like.device).DetachFromDisposeScope();

    /// <summary>Updates one parameter; the caller frees what is made here.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">It.</param>
    /// <param name="gradient">Its gradient; it may be overwritten.</param>
    /// <param name="rate">Learning rate of this step.</param>
    /// <param name="decay">Decoupled weight decay.</param>
    protected abstract void Update(string name, Tensor value, Tensor gradient, double rate, double decay);

    /// <summary>Decoupled weight decay of one step.</summary>
    protected static void Decay(Tensor value, double rate, double decay)
    {
        using var keep = (1 - (rate * decay)).ToScalar();
        value.mul_(keep);
    }
}

/// <summary>What an optimizer remembers of a parameter.</summary>
/// <param name="Name">Unique; the parameter's name with what it is before or around it.</param>
/// <param name="Parameter">Name of the parameter.</param>
/// <param name="Value">It; owned by the optimizer.</param>
/// <param name="IsFlat">Whether it is one run of numbers, whatever the parameter's shape.</param>
/// <param name="NumbersEach">Numbers of the parameter that each of its numbers stands for.</param>
internal sealed record RememberedTensor(string Name, string Parameter, Tensor Value, bool IsFlat = false, int NumbersEach = 1);

/// <summary>How parameters follow their gradients.</summary>
public enum OptimizerKind
{
    /// <summary>AdamW with moments in float32: 8 bytes for each number that learns.</summary>
    Adamw,

    /// <summary>AdamW with moments in blocks of 8-bit codes: 2 bytes.</summary>
    Adamw8bit,

    /// <summary>Adafactor: row and column means of the second moment alone, next to nothing.</summary>
    Adafactor,
}
