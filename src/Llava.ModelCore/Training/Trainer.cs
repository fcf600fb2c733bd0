using Llava.ModelCore.Models;
using Llava.ModelCore.Training.Optimizers;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training;

/// <summary>One optimizer step at a time: gradients averaged over micro-batches, clipped, applied at the schedule's rate.</summary>
public sealed class Trainer : IDisposable
{
    // Far from the streams that data orders, projectors and adapters draw from.
    private const long DropoutStream = 1L << 40;
    private const int LargestAccumulation = 1 << 20;

    private readonly TrainingRecipe _recipe;
    private readonly LayerwisePass _pass;

    /// <summary>Freezes what the recipe's stage does not train and prepares the optimizer.</summary>
    /// <param name="model">Weights in float32, on the device to compute on; trained in place.</param>
    /// <param name="recipe">Rates, decay, clipping, precision, optimizer, layers that are recomputed (none where it leaves that open).</param>
    /// <param name="steps">Optimizer steps of the whole run; the schedule ends there.</param>
    public Trainer(LlavaModel model, TrainingRecipe recipe, int steps)
    {
        model.ComputeIn(recipe.Precision == TrainingPrecision.Bf16 ? ScalarType.BFloat16 : ScalarType.Float32);
        _recipe = recipe;
        _pass = new LayerwisePass(model, recipe.RecomputeLayers ?? 0);
        Optimizer = Optimizer.For(ParameterGroup.For(model, recipe), recipe.Optimizer);
        Schedule = new LearningRateSchedule
        {
            Steps = steps,
            WarmupSteps = LearningRateSchedule.WarmupFor(recipe.WarmupRatio, steps),
            Shape = recipe.Schedule,
        };
    }

    /// <summary>Parameters and what is remembered of their gradients.</summary>
    internal Optimizer Optimizer { get; }

    /// <summary>Factor on the learning rate at each step.</summary>
    public LearningRateSchedule Schedule { get; }

    /// <summary>Learning rate of the next update, of parameters without a rate of their own.</summary>
    public double LearningRate => _recipe.LearningRate * Schedule.FactorAt(Optimizer.Steps);

    /// <summary>
    /// One optimizer step. Without clipping, which needs the norm of all gradients first, each layer is updated as soon as its gradients are complete, and they
    /// are freed before the next layer's are made.
    /// </summary>
    /// <param name="batches">The micro-batches of the step.</param>
    /// <param name="cancellationToken">Checked before each micro-batch; a cancelled step changes no weight.</param>
    /// <exception cref="TrainingException">A loss or a gradient is not a number; the message names step and samples. After a gradient that is not, the weights are to be thrown away.</exception>
    public TrainingStep Step(IReadOnlyList<TrainingBatch> batches, CancellationToken cancellationToken = default)
    {
        if (_recipe.Clip is not null)
        {
            return new(Accumulate(batches, cancellationToken), Update());
        }

        Optimizer.DropGradients();
        var (squares, factor, step) = (0.0, Schedule.FactorAt(Optimizer.Steps), Optimizer.Steps);
        var losses = Passes(batches, Apply, cancellationToken);
        return new(losses, Math.Sqrt(squares));

        void Apply(ModelPart part)
        {
            if (Optimizer.Steps == step)
            {
                Optimizer.Begin();
            }

            List<TrainableParameter> complete = [.. Optimizer.Parameters.Where(parameter => part.Has(parameter.Name))];
            var norm = RequireFinite(Optimizer.NormOf(complete), step);
            squares += norm * norm;
            foreach (var parameter in complete)
            {
                Optimizer.Update(parameter, factor);
                parameter.Value.grad = null;
            }
        }
    }

    /// <summary>Sets the gradients to the mean over the micro-batches of the gradient of each one's loss.</summary>
    /// <param name="batches">The micro-batches of one optimizer step.</param>
    /// <param name="cancellationToken">Checked before each micro-batch; a cancelled step changes no weight.</param>
    /// <returns>Loss and size of each micro-batch.</returns>
    /// <exception cref="TrainingException">A loss is not a number; the message names step and samples.</exception>
    public IReadOnlyList<MicroBatchLoss> Accumulate(IReadOnlyList<TrainingBatch> batches, CancellationToken cancellationToken = default)
    {
        Optimizer.ClearGradients();
        return Passes(batches, done: null, cancellationToken);
    }

    /// <summary>Loss and accuracy over a whole data set, every target counted alike; no weight is changed.</summary>
    /// <param name="batches">The data, in micro-batches.</param>
    /// <param name="cancellationToken">Checked before each micro-batch.</param>
    public ValidationResult Measure(IEnumerable<TrainingBatch> batches, CancellationToken cancellationToken = default)
    {
        var (loss, targets, correct) = (0.0, 0L, 0L);
        foreach (var batch in batches)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var measured = _pass.Measure(batch);
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
        var norm = RequireFinite(Optimizer.GradientNorm(), Optimizer.Steps);
        if (_recipe.Clip is { } clip)
        {
            Optimizer.ClipGradients(norm, clip);
        }

        Optimizer.Step(Schedule.FactorAt(Optimizer.Steps));
        return norm;
    }

    /// <inheritdoc/>
    public void Dispose() => Optimizer.Dispose();

    private List<MicroBatchLoss> Passes(IReadOnlyList<TrainingBatch> batches, Action<ModelPart>? done, CancellationToken cancellationToken)
    {
        var (losses, step) = (new List<MicroBatchLoss>(batches.Count), Optimizer.Steps);
        foreach (var (i, batch) in batches.Index())
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                losses.Add(_pass.Accumulate(batch, 1.0 / batches.Count, DropoutSeed(step, i), i == batches.Count - 1 ? done : null));
            }
            catch (TrainingException e)
            {
                throw new TrainingException($"Optimizer step {step + 1} of {Schedule.Steps} failed. {e.Message}", e);
            }
        }

        return losses;
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
