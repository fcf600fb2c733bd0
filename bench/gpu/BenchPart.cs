using System.Diagnostics;

namespace Llava.Benchmarks.Gpu;

/// <summary>One of the things that a run does, in order, each with a time of its own.</summary>
internal abstract class BenchPart
{
    /// <summary>In the lines.</summary>
    public abstract string Name { get; }

    /// <summary>Seconds that it may take; what is left of it then is not measured.</summary>
    public abstract int Budget { get; }

    /// <summary>Whether nothing after it means anything when it fails.</summary>
    public virtual bool IsGate => false;

    /// <summary>Whether it runs only when it is named, in a run of its own.</summary>
    public virtual bool IsApart => false;

    /// <summary>Measures.</summary>
    /// <param name="settings">Where, and what.</param>
    /// <param name="lines">Gets the figures.</param>
    /// <param name="time">Asked before each thing that takes long.</param>
    public abstract void Run(BenchSettings settings, BenchLines lines, PartTime time);
}

/// <summary>The time of a part.</summary>
/// <param name="budget">Seconds.</param>
internal sealed class PartTime(double budget)
{
    private readonly long _start = Stopwatch.GetTimestamp();

    /// <summary>Seconds that are left; 0 at least.</summary>
    public double Left => Math.Max(0, budget - Elapsed);

    /// <summary>Seconds since the part began.</summary>
    public double Elapsed => Stopwatch.GetElapsedTime(_start).TotalSeconds;

    /// <summary>Ends the part where its time is over.</summary>
    /// <exception cref="PartCutException">It is.</exception>
    public void Require()
    {
        if (Left == 0)
        {
            throw new PartCutException();
        }
    }
}

/// <summary>The time of a part is over; what it has written counts.</summary>
internal sealed class PartCutException() : Exception("The part's time is over.");
