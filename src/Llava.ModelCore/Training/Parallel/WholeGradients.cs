using Llava.ModelCore.Training.Optimizers;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Parallel;

/// <summary>Every rank remembers and updates everything; a single process too.</summary>
internal sealed class WholeGradients(IReadOnlyList<ParameterGroup> groups, OptimizerKind kind, ICollective ranks) : GradientSharing
{
    public override Optimizer Optimizer { get; } = Optimizer.For(groups, kind);

    public override IReadOnlyList<TrainableParameter> Parameters { get; } = [.. groups.SelectMany(group => group.Parameters)];

    public override bool CollectsAlways => false;

    public override IEnumerable<WholeState> State => Optimizer.State.Select(state => new WholeState(state.Name, state.Value.dtype, state.Value.shape, () => state.Value.alias()));

    public override void Clear() => Optimizer.ClearGradients();

    public override void Drop() => Optimizer.DropGradients();

    public override void Collect(ModelPart part)
    {
        if (ranks.Size == 1)
        {
            return;
        }

        using var noGrad = no_grad();
        foreach (var (name, value) in Parameters.Where(parameter => part.Has(parameter.Name)))
        {
            using var scope = NewDisposeScope();
            var gradient = value.grad?.contiguous() ?? zeros_like(value);
            ranks.AllReduce(gradient);
            value.grad = gradient;
        }
    }

    public override void Spread(ModelPart part)
    {
    }

    public override void Restore(int steps, Func<string, Tensor> read) => Optimizer.Restore(steps, read);
}
