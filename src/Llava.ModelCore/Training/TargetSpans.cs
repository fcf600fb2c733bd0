namespace Llava.ModelCore.Training;

/// <summary>Walks over a prompt's ids span by span and ignores what the model is not to learn; all else is a target.</summary>
/// <remarks>Spans may reach beyond the ids, because a text-only prompt is cut at the model's maximum length.</remarks>
internal sealed class TargetSpans(int[] ids)
{
    private readonly int[] _labels = [.. ids];

    /// <summary>Where the next span starts.</summary>
    public int Position { get; private set; }

    /// <summary>Passes over a span.</summary>
    /// <param name="length">Ids in the span.</param>
    /// <param name="ignored">How many are ignored.</param>
    /// <param name="after">How many at the start are targets all the same.</param>
    public void Pass(int length, int ignored, int after = 0)
    {
        Ignore(Position + after, Position + after + ignored);
        Position += length;
    }

    /// <summary>The labels, everything after the last span ignored.</summary>
    public int[] LabelsToHere()
    {
        Ignore(Position, _labels.Length);
        return _labels;
    }

    /// <summary>The labels, everything after the last span a target.</summary>
    public int[] LabelsToEnd() => _labels;

    /// <summary>Labels of a prompt nothing is learned from.</summary>
    public int[] NoLabels()
    {
        Ignore(0, _labels.Length);
        return _labels;
    }

    private void Ignore(int from, int to)
    {
        var start = Math.Clamp(from, 0, _labels.Length);
        Array.Fill(_labels, TrainingExample.Ignored, start, Math.Clamp(to, start, _labels.Length) - start);
    }
}
