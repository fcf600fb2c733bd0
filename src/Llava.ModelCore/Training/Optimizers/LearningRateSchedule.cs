namespace Llava.ModelCore.Training.Optimizers;

/// <summary>
/// The factor on the base learning rate at each optimizer step: linear warm-up, then one of the shapes of spec 7.8.
/// </summary>
public sealed record LearningRateSchedule
{
    /// <summary>Optimizer steps of the whole run.</summary>
    public required int Steps { get; init; }

    /// <summary>Steps of linear warm-up; the first step of a run with warm-up has factor 0, as upstream.</summary>
    public int WarmupSteps { get; init; }

    /// <summary>Shape after warm-up. Default cosine to 0.</summary>
    public LearningRateShape Shape { get; init; } = LearningRateShape.Cosine;

    /// <summary>Share of the run, at its end, over which <see cref="LearningRateShape.ConstantThenLinear"/> falls to 0. Default 0.28.</summary>
    public double DecayShare { get; init; } = 0.28;

    /// <summary>Factor for optimizer step <paramref name="step"/>, counted from 0.</summary>
    public double FactorAt(int step)
    {
        if (step < WarmupSteps)
        {
            return (double)step / Math.Max(1, WarmupSteps);
        }

        var progress = (double)(step - WarmupSteps) / Math.Max(1, Steps - WarmupSteps);
        return Shape switch
        {
            LearningRateShape.Constant => 1,
            LearningRateShape.Linear => Math.Max(0, 1 - progress),
            LearningRateShape.ConstantThenLinear => Math.Clamp((1 - ((double)step / Steps)) / DecayShare, 0, 1),
            _ => Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * progress))),
        };
    }

    /// <summary>ceil(ratio·steps), as upstream rounds.</summary>
    public static int WarmupFor(double ratio, int steps) => (int)Math.Ceiling(ratio * steps);
}

/// <summary>Shape of a learning-rate schedule after warm-up.</summary>
public enum LearningRateShape
{
    /// <summary>½(1 + cos(π·progress)).</summary>
    Cosine,

    /// <summary>1 − progress.</summary>
    Linear,

    /// <summary>1 throughout.</summary>
    Constant,

    /// <summary>1, then a straight line to 0 over the last part of the run.</summary>
    ConstantThenLinear,
}
