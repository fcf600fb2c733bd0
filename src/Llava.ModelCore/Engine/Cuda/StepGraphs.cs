using System.Numerics;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>
/// Passes of a few rows that all decode, launched as CUDA graphs. They are padded to a few sizes, and what their numbers of positions decide is rounded up, so that few graphs serve them all; the numbers
/// themselves lie where the graph looks for them. A shape runs a few times before it is recorded. What cannot be recorded runs as before, and no other is tried.
/// </summary>
internal sealed class StepGraphs : IDisposable
{
    // From here on sizes are as far apart.
    private const int SizeStep = 16;

    // For each row and the one behind them: ids, places, angles, slots, starts, lengths, rows that sample, and five settings of the draws, one of 64 bits.
    private const int NumbersPerRow = 13;
    private const int NumbersForAlignment = 64;

    private readonly CudaSession _session;
    private readonly DeviceDecoder _decoder;
    private readonly Func<DevicePass> _newPass;
    private readonly int _most;
    private readonly int _longest;
    private readonly Dictionary<(int Rows, int Longest), StepGraph> _graphs = [];
    private readonly Tensor? _numbers;
    private readonly Tensor? _unread;

    /// <param name="session">The device.</param>
    /// <param name="decoder">Computes; not disposed here.</param>
    /// <param name="newPass">Makes a pass without rows.</param>
    /// <param name="most">Rows of the largest pass that is recorded; 0 records none.</param>
    /// <param name="slots">Sequences at once: as many tokens may be unread.</param>
    /// <param name="longest">Positions of a sequence at most.</param>
    /// <param name="finding">What <see cref="Prepare"/> said.</param>
    public StepGraphs(CudaSession session, DeviceDecoder decoder, Func<DevicePass> newPass, int most, int slots, int longest, string? finding = null)
    {
        Finding = finding;
        (_session, _decoder, _newPass, _most, _longest) = (session, decoder, newPass, decoder.IsRecordable ? Math.Min(most, slots) : 0, longest);
        if (_most > 0)
        {
            _numbers = empty(((_most + 1) * NumbersPerRow) + NumbersForAlignment, ScalarType.Int32, session.Device).DetachFromDisposeScope();
            _unread = empty(slots, ScalarType.Int32, session.Device).DetachFromDisposeScope();
        }
    }

    /// <summary>Why nothing is recorded any more; null while nothing went wrong.</summary>
    public string? Finding { get; private set; }

    /// <summary>Makes a device ready for graphs, before anything is allocated there.</summary>
    /// <returns>Why there can be none; null where there can.</returns>
    public static string? Prepare(CudaSession session)
    {
        try
        {
            session.LeaveDefaultStream();
            return null;
        }
        catch (TorchLibraryException e)
        {
            return Given(e);
        }
    }

    /// <summary>A sentence for who asked for graphs.</summary>
    public static string Given(Exception reason) => $"Steps of a few rows are launched piece by piece instead of as a graph: {reason.Message}";

    /// <summary>Rows that a pass of some rows is padded to: a power of two up to 16, then a multiple of 16, and never more than there may be.</summary>
    /// <param name="rows">At least 1, at most <paramref name="most"/>.</param>
    /// <param name="most">Rows of the largest pass.</param>
    public static int SizeFor(int rows, int most) =>
        Math.Min(most, rows <= SizeStep ? (int)BitOperations.RoundUpToPowerOf2((uint)rows) : (rows + SizeStep - 1) / SizeStep * SizeStep);

    /// <summary>Pads a pass where it is one for a graph.</summary>
    /// <param name="pass">The rows, not complete yet.</param>
    /// <returns>Whether it is.</returns>
    public bool Take(DevicePass pass)
    {
        if (Finding is not null || pass.Rows == 0 || pass.Rows > _most || pass.Rows > pass.Decoding || pass.OwnAngles.Count > 0)
        {
            return false;
        }

        pass.Pad(SizeFor(pass.Rows, _most), DecodeAttention.Reach(pass.LongestDecoding, _longest));
        return true;
    }

    /// <summary>Computes a pass that <see cref="Take"/> took.</summary>
    /// <param name="pass">The pass, complete.</param>
    /// <param name="unread">Tokens that only the device knows; null for none.</param>
    /// <returns>float32 (rows with padding, vocabulary), until the next pass.</returns>
    public Tensor Run(DevicePass pass, Tensor? unread)
    {
        if (!_graphs.TryGetValue((pass.Rows, pass.Longest), out var graph))
        {
            graph = _graphs[(pass.Rows, pass.Longest)] = new StepGraph(_session, _decoder, Shape(pass.Rows, pass.Longest), _numbers!, _unread!);
        }

        pass.Block.SendTo(_numbers!);
        if (unread is not null)
        {
            using var target = _unread!.narrow(0, 0, unread.shape[0]);
            target.copy_(unread, true);
        }

        Finding ??= graph.Run();
        return graph.Logits;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var graph in _graphs.Values)
        {
            graph.Dispose();
        }

        _unread?.Dispose();
        _numbers?.Dispose();
    }

    /// <summary>A pass of a shape, of rows that belong to nobody: where its numbers are in the block, all others of the shape have theirs.</summary>
    private DevicePass Shape(int rows, int longest)
    {
        var pass = _newPass();
        pass.Pad(rows, longest);
        pass.Complete();
        return pass;
    }
}
