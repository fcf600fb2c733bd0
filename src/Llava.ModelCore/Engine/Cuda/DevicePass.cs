using System.Runtime.InteropServices;
using Llava.ModelCore.Checkpoints;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>
/// The rows of one pass: those that decode, then chunks of prompts one behind the other, without padding. Two chunks of one sequence may share a pass, because all keys are
/// stored before anybody looks at them.
/// </summary>
/// <param name="config">The decoder.</param>
/// <param name="block">Takes the numbers that the device needs.</param>
/// <param name="decodesApart">Whether rows that decode attend by themselves, so that flash attention gets the others alone.</param>
internal sealed class DevicePass(LanguageModelConfig config, DeviceBlock block, bool decodesApart)
{
    private readonly List<StepWork> _works = [];
    private readonly List<AttentionSpan> _spans = [];
    private readonly List<int> _ids = [];
    private readonly List<int> _angles = [];
    private readonly List<int> _slots = [];
    private readonly List<(int Position, int Longest)> _ownAngles = [];
    private readonly List<PassImage> _images = [];
    private readonly List<int> _places = [];
    private readonly int _knownAngles = LanguageModelPositions.Limit(config);

    public DeviceBlock Block => block;

    public IReadOnlyList<StepWork> Works => _works;

    /// <summary>A span for each work.</summary>
    public IReadOnlyList<AttentionSpan> Spans => _spans;

    /// <summary>Where images lie.</summary>
    public IReadOnlyList<PassImage> Images => _images;

    /// <summary>Positions that are turned in a way of their sequence's own (dynamic scaling): their lines come behind those of all positions.</summary>
    public IReadOnlyList<(int Position, int Longest)> OwnAngles => _ownAngles;

    public int Rows => _ids.Count;

    /// <summary>Positions that the longest of the rows that decode sees.</summary>
    public int LongestDecoding => _spans.Take(Decoding).Select(span => span.Visible).DefaultIfEmpty().Max();

    /// <summary>Rows at the end that belong to nobody.</summary>
    public int Padding { get; private set; }

    /// <summary>Rows, from the first, whose attention is the decoding kernel's.</summary>
    public int Apart { get; private set; }

    /// <summary>Positions that none of them sees more of.</summary>
    public int Longest { get; private set; }

    /// <summary>Rows that decode, from the first.</summary>
    public int Decoding { get; private set; }

    /// <summary>Ids of the rows, int32; 0 where an image lies, and where only the device knows the token.</summary>
    public BlockPart Ids { get; private set; }

    /// <summary>Where a row's token lies among the unread ones, which only the device knows; −1 where the host knows it.</summary>
    public BlockPart Places { get; private set; }

    /// <summary>Lines of the tables of angles.</summary>
    public BlockPart Angles { get; private set; }

    /// <summary>Places in the arena.</summary>
    public BlockPart Slots { get; private set; }

    /// <summary>Where each span's extent starts; one more number follows, as flash attention wants it.</summary>
    public BlockPart Starts { get; private set; }

    /// <summary>Positions that each span's last row sees.</summary>
    public BlockPart Lengths { get; private set; }

    /// <summary>Where each span behind <see cref="Apart"/> begins among the rows behind it, and where the last ends.</summary>
    public BlockPart QueryOffsets { get; private set; }

    /// <summary>Adds a row that decodes; all of them come before the first prompt.</summary>
    /// <param name="work">The row.</param>
    /// <param name="unread">Where its token lies among the unread ones; null where the host knows it.</param>
    public void AddDecode(StepWork work, int? unread)
    {
        Decoding++;
        Begin(work);
        _places.Add(unread ?? -1);
        _ids.Add(unread is null ? work.Sequence.Tokens[^1] : 0);
    }

    /// <summary>Adds a chunk of a prompt.</summary>
    /// <param name="work">The chunk.</param>
    /// <param name="pieces">What lies in it, images with their features.</param>
    public void AddPrefill(StepWork work, IReadOnlyList<PromptPart> pieces)
    {
        Begin(work);
        foreach (var (piece, from, count, features) in pieces)
        {
            if (features is not null)
            {
                _images.Add(new PassImage(Rows, features));
            }

            for (var i = 0; i < count; i++)
            {
                _places.Add(-1);
                _ids.Add(features is null ? work.Sequence.Tokens[piece.FirstToken + from + i] : 0);
            }
        }
    }

    /// <summary>Makes a pass of rows that decode one of a shape that others have too: rows that belong to nobody see nothing and store nothing.</summary>
    /// <param name="rows">Rows that it gets.</param>
    /// <param name="longest">Positions that count as the most that a row sees.</param>
    public void Pad(int rows, int longest)
    {
        for (; Rows < rows; Padding++)
        {
            _spans.Add(default);
            _places.Add(-1);
            _ids.Add(0);
            _angles.Add(0);
            _slots.Add(-1);
        }

        Longest = longest;
    }

    /// <summary>Puts everything into the block.</summary>
    public void Complete()
    {
        Apart = decodesApart ? Decoding + Padding : 0;
        Longest = Math.Max(Longest, LongestDecoding);
        Ids = block.Add<int>(CollectionsMarshal.AsSpan(_ids));
        Places = block.Add<int>(CollectionsMarshal.AsSpan(_places));
        Angles = block.Add<int>(CollectionsMarshal.AsSpan(_angles));
        Slots = block.Add<int>(CollectionsMarshal.AsSpan(_slots));
        Starts = block.Add<int>([.. _spans.Select(span => span.ExtentStart), 0]);
        Lengths = block.Add<int>([.. _spans.Select(span => span.Visible)]);
        List<int> offsets = [0];
        foreach (var span in _spans.Skip(Apart))
        {
            offsets.Add(offsets[^1] + span.Count);
        }

        QueryOffsets = block.Add<int>(CollectionsMarshal.AsSpan(offsets));
    }

    private void Begin(StepWork work)
    {
        var start = work.Sequence.Extent!.Value.Start;
        var longest = LanguageModelPositions.LongestOf(config, work);
        _works.Add(work);
        _spans.Add(new AttentionSpan(start, work.FirstPosition, work.Count));
        for (var position = work.FirstPosition; position < work.FirstPosition + work.Count; position++)
        {
            _slots.Add(start + position);
            _angles.Add(longest == 0 ? position : _knownAngles + _ownAngles.Count);
            if (longest > 0)
            {
                _ownAngles.Add((position, longest));
            }
        }
    }
}

/// <summary>An image's features among the rows of a pass.</summary>
/// <param name="Row">First row.</param>
/// <param name="Features">(rows, hidden).</param>
internal readonly record struct PassImage(int Row, TorchSharp.torch.Tensor Features);

/// <summary>A part of a chunk of a prompt.</summary>
/// <param name="Piece">The run of the prompt it belongs to.</param>
/// <param name="From">First position of it, counted in the run.</param>
/// <param name="Count">Positions.</param>
/// <param name="Features">(count, hidden) of an image; null for text.</param>
internal readonly record struct PromptPart(PromptPiece Piece, int From, int Count, TorchSharp.torch.Tensor? Features);
