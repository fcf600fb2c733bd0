using Llava.ModelCore.Models;
using Llava.ModelCore.Training.Optimizers;
using Llava.ModelCore.Training.Parallel;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training;

/// <summary>One optimizer step at a time: gradients averaged over micro-batches, those of all ranks, clipped, applied at the schedule's rate.</summary>
public sealed class Trainer : IDisposable
{
    // Far from the streams that data orders, projectors and adapters draw from.
    private const long DropoutStream = 1L << 40;
    private const int LargestAccumulation = 1 << 20;

    private readonly TrainingRecipe _recipe;
    private readonly LayerwisePass _pass;
    private readonly ICollective _ranks;
    private readonly SplitWeights? _split;

    /// <summary>Freezes what the recipe's stage does not train and prepares the optimizer.</summary>
    /// <param name="model">Weights in float32, on the device to compute on; trained in place.</param>
    /// <param name="recipe">Rates, decay, clipping, precision, optimizer, layers that are recomputed (none where it leaves that open).</param>
    /// <param name="steps">Optimizer steps of the whole run; the schedule ends there.</param>
    /// <param name="ranks">The processes that train together, each with the same weights; null for this one alone. Not disposed.</param>
    public Trainer(LlavaModel model, TrainingRecipe recipe, int steps, ICollective? ranks = null)
    {
        model.ComputeIn(recipe.Precision == TrainingPrecision.Bf16 ? ScalarType.BFloat16 : ScalarType.Float32);
        _recipe = recipe;
        _pass = new LayerwisePass(model, recipe.RecomputeLayers ?? 0);
        _ranks = ranks ?? new SingleRank();
        _split = recipe.SplitWeights ? new SplitWeights(model) : null;
        Gradients = GradientSharing.For(ParameterGroup.For(model, recipe, _split), recipe, _ranks);
        Schedule = new LearningRateSchedule
        {
            Steps = steps,
            WarmupSteps = LearningRateSchedule.WarmupFor(recipe.WarmupRatio, steps),
            Shape = recipe.Schedule,
        };
    }

    /// <summary>The parameters, and how their gradients are put together.</summary>
    internal GradientSharing Gradients { get; }

    /// <summary>What this rank updates, and what it remembers of it.</summary>
    internal Optimizer Optimizer => Gradients.Optimizer;

    /// <summary>Factor on the learning rate at each step.</summary>
    public LearningRateSchedule Schedule { get; }

    /// <summary>Learning rate of the next update, of parameters without a rate of their own.</summary>
    public double LearningRate => _recipe.LearningRate * Schedule.FactorAt(Optimizer.Steps);

    /// <summary>
    /// One optimizer step. Without clipping, which needs the norm of all gradients first, each layer is updated as soon as its gradients are complete, and they
    /// are freed before the next layer's are made.
    /// </summary>
    /// <param name="batches">This rank's micro-batches of the step: from its own number on, each one that lies a group's size further. Every rank has as many.</param>
    /// <param name="cancellationToken">Checked before each micro-batch; a cancelled step changes no weight. Several ranks are not cancelled in a step.</param>
    /// <returns>The losses of all ranks, in the order of one process.</returns>
    /// <exception cref="TrainingException">A loss or a gradient is not a number; the message names step and samples. After a gradient that is not, the weights are to be thrown away.</exception>
    public TrainingStep Step(IReadOnlyList<TrainingBatch> batches, CancellationToken cancellationToken = default)
    {
        if (_recipe.Clip is not null)
        {
            return new(Accumulate(batches, cancellationToken), Update());
        }

        Gradients.Drop();
        var (norms, factor, step) = (new List<Tensor?>(), Schedule.FactorAt(Optimizer.Steps), Optimizer.Steps);
        try
        {
            var losses = Passes(batches, Apply, cancellationToken);
            // Read when the step is done: a device that is asked after each layer stands still as often.
            return new(losses, Math.Sqrt(Gradients.NormsOf(norms).Sum(norm => RequireFinite(norm, step) * norm)));
        }
        finally
        {
            norms.ForEach(norm => norm?.Dispose());
        }

        void Apply(ModelPart part)
        {
            if (Optimizer.Steps == step)
            {
                Optimizer.Begin();
            }

            List<TrainableParameter> complete = [.. Optimizer.Parameters.Where(parameter => part.Has(parameter.Name))];
            norms.Add(Optimizer.NormOf(complete));
            Optimizer.Update(complete, factor);
            foreach (var parameter in complete)
            {
                parameter.Value.grad = null;
            }

            Gradients.Spread(part);
        }
    }

    /// <summary>Sets the gradients to the mean over the micro-batches, those of all ranks, of the gradient of each one's loss.</summary>
    /// <param name="batches">This rank's micro-batches of one optimizer step.</param>
    /// <param name="cancellationToken">Checked before each micro-batch; a cancelled step changes no weight.</param>
    /// <returns>Loss and size of each micro-batch, those of all ranks.</returns>
    /// <exception cref="TrainingException">A loss is not a number; the message names step and samples.</exception>
    public IReadOnlyList<MicroBatchLoss> Accumulate(IReadOnlyList<TrainingBatch> batches, CancellationToken cancellationToken = default)
    {
        Gradients.Clear();
        return Passes(batches, done: null, cancellationToken);
    }

    /// <summary>Loss and accuracy over a whole data set, every target counted alike; no weight is changed.</summary>
    /// <param name="microBatches">Makes each micro-batch of the data; the ranks share them out.</param>
    /// <param name="cancellationToken">Checked before each micro-batch; not by several ranks.</param>
    internal ValidationResult Measure(IReadOnlyList<Func<TrainingBatch>> microBatches, CancellationToken cancellationToken = default)
    {
        List<MicroBatchLoss> own = [];
        for (var i = _ranks.Rank; i < microBatches.Count; i += _ranks.Size)
        {
            cancellationToken.ThrowIfCancellationRequested();
            own.Add(_pass.Measure(microBatches[i]()));
        }

        // Every rank has as many to show; those that have fewer show nothings.
        var each = (microBatches.Count + _ranks.Size - 1) / _ranks.Size;
        var (loss, targets, correct) = (0.0, 0L, 0L);
        foreach (var measured in OfAllRanks([.. own, .. Enumerable.Repeat(default(MicroBatchLoss), each - own.Count)]))
        {
            loss += measured.Value * measured.Targets;
            targets += measured.Targets;
            correct += measured.Correct;
        }

        return new ValidationResult(loss / targets, (double)correct / targets);
    }

    /// <summary>Clips the gradients and applies them.</summary>
    /// <returns>Norm of the gradients before clipping.</returns>
    /// <exception cref="TrainingException">The norm is not finite; no weight has been changed.</exception>
    public double Update()
    {
        using var own = Optimizer.NormOf(Optimizer.Parameters);
        var norm = RequireFinite(Gradients.NormsOf([own])[0], Optimizer.Steps);
        if (_recipe.Clip is { } clip)
        {
            Optimizer.ClipGradients(norm, clip);
        }

        Optimizer.Step(Schedule.FactorAt(Optimizer.Steps));
        Gradients.Spread(ModelPart.All);
        return norm;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Gradients.Dispose();
        _split?.Dispose();
    }

    private IReadOnlyList<MicroBatchLoss> Passes(IReadOnlyList<TrainingBatch> batches, Action<ModelPart>? done, CancellationToken cancellationToken)
    {
        var (losses, step, all) = (new List<MicroBatchLoss>(batches.Count), Optimizer.Steps, batches.Count * _ranks.Size);
        foreach (var (i, batch) in batches.Index())
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                losses.Add(_pass.Accumulate(batch, 1.0 / all, DropoutSeed(step, (i * _ranks.Size) + _ranks.Rank), WhenDone(i == batches.Count - 1)));
            }
            catch (TrainingException e) when (e is not RankLostException)
            {
                Gradients.Drop();
                throw new TrainingException($"Optimizer step {step + 1} of {Schedule.Steps} failed. {e.Message}", e);
            }
        }

        return OfAllRanks(losses);

        Action<ModelPart>? WhenDone(bool isLast) => !isLast && !Gradients.CollectsAlways ? null : part =>
        {
            Gradients.Collect(part);
            if (isLast)
            {
                done?.Invoke(part);
            }
        };
    }

    /// <summary>What the ranks measured of as many micro-batches each, in the order in which one process would have.</summary>
    private IReadOnlyList<MicroBatchLoss> OfAllRanks(IReadOnlyList<MicroBatchLoss> own)
    {
        var ranks = _ranks.Gather([.. own.SelectMany(loss => (double[])[loss.Value, loss.Positions, loss.Targets, loss.Correct])])
            .Select(numbers => numbers.Chunk(4).Select(loss => new MicroBatchLoss(loss[0], (int)loss[1], (int)loss[2], (int)loss[3])).ToList()).ToList();
        return [.. own.SelectMany((_, i) => ranks.Select(rank => rank[i]))];
    }

    private static double RequireFinite(double norm, int step) => double.IsFinite(norm) ? norm : throw new TrainingException(
        $"Optimizer step {step + 1} failed: the gradient's norm is {norm} although the losses are finite. Resume from the last training checkpoint with a lower learning rate, or clip gradients.");

    /// <summary>What a step leaves out depends on the step alone, so that a resumed run goes on as if nothing had happened.</summary>
    private long? DropoutSeed(int step, int microBatch) => _recipe.Lora is { Dropout: > 0 }
        ? new SeededRandom(_recipe.Seed, DropoutStream + ((long)step * LargestAccumulation) + microBatch).Below(int.MaxValue)
        : null;
}

/// <summary>What an optimizer step came to.</summary>
/// <param name="Losses">Loss and size of each micro-batch.</param>
/// <param name="GradientNorm">Norm of the gradient before clipping.</param>
public sealed record TrainingStep(IReadOnlyList<MicroBatchLoss> Losses, double GradientNorm);

/// <summary>Loss of a micro-batch.</summary>
/// <param name="Value">Mean cross-entropy in nats over its targets.</param>
/// <param name="Positions">Text and image positions that went through the language model, padding excluded.</param>
/// <param name="Targets">Positions whose next token is learned.</param>
/// <param name="Correct">Targets that the model would have chosen before it learned from them.</param>
public readonly record struct MicroBatchLoss(double Value, int Positions, int Targets, int Correct);

/// <summary>What a data set that is only measured came to.</summary>
/// <param name="Loss">Mean cross-entropy in nats over all targets.</param>
/// <param name="Accuracy">Share of the targets that the model would have chosen, 0 to 1.</param>
public sealed record ValidationResult(double Loss, double Accuracy);
