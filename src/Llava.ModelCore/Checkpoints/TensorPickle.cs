using System.Buffers.Binary;
using System.Text;

namespace Llava.ModelCore.Checkpoints;

/// <summary>
/// Reads the pickle of a torch archive (Python's pickletools describes the opcodes) as data. A pickle is a program that may
/// call anything; this reader has no means to call: it knows the handful of names that stand for tensors, refuses every
/// other at the moment it is mentioned, and keeps its stack and memo bounded by the file's own size.
/// </summary>
internal sealed class TensorPickle
{
    private const int MaxBytes = 16 * 1024 * 1024;
    private const int MaxStack = 100_000;

    private static readonly object Mark = new();

    private readonly string _path;
    private readonly byte[] _code;
    private readonly List<object?> _stack = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private int _at;

    private TensorPickle(string path, byte[] code) => (_path, _code) = (path, code);

    /// <summary>Name → tensor of the dictionary the pickle holds, in its order.</summary>
    /// <param name="path">The archive, for messages.</param>
    /// <param name="code">The pickle.</param>
    /// <exception cref="CheckpointException">The pickle is damaged or asks for anything but tensors.</exception>
    public static IEnumerable<(string Name, PickledTensor Tensor)> Read(string path, byte[] code)
    {
        if (code.Length > MaxBytes)
        {
            throw new CheckpointException($"'{path}' has a pickle of {code.Length} bytes; a list of tensors needs less than {MaxBytes}. It is not a model's weights.");
        }

        var root = new TensorPickle(path, code).Run();
        return root is Dictionary<object, object?> entries
            ? entries.Select(e => e is { Key: string name, Value: PickledTensor tensor }
                ? (name, tensor)
                : throw new CheckpointException($"'{path}' holds {Describe(e.Value)} under '{e.Key}'; a file of weights is one dictionary of names and tensors."))
            : throw new CheckpointException($"'{path}' holds {Describe(root)}; a file of weights is one dictionary of names and tensors.");
    }

    private static string Describe(object? value) => value switch
    {
        null => "None",
        Dictionary<object, object?> => "a dictionary",
        List<object?> => "a list",
        object?[] => "a tuple",
        string => "a string",
        PickledTensor => "a tensor",
        _ => "a value",
    };

    private object? Run()
    {
        try
        {
            while (true)
            {
                if (Step(Take(1)[0]) is { } done)
                {
                    return done;
                }

                if (_stack.Count > MaxStack)
                {
                    throw Damaged($"more than {MaxStack} values are open at once");
                }
            }
        }
        catch (Exception e) when (e is InvalidCastException or ArgumentOutOfRangeException or ArgumentNullException or OverflowException or KeyNotFoundException)
        {
            throw Damaged(e.Message, e);
        }
    }

    /// <summary>Executes one opcode; the result is not null once the pickle is complete.</summary>
    private object? Step(byte opcode)
    {
        switch ((char)opcode)
        {
            case '.':
                return Pop() ?? throw Damaged("it holds None");
            case '\x80': // PROTO
                Take(1);
                break;
            case '\x95': // FRAME
                Take(8);
                break;
            case '(':
                _stack.Add(Mark);
                break;
            case '0':
                Pop();
                break;
            case '1':
                PopToMark();
                break;
            default:
                if (!StepMemo(opcode) && !StepValue(opcode) && !StepCollection(opcode) && !StepObject(opcode))
                {
                    throw Damaged($"opcode 0x{opcode:x2} does not occur in files of tensors");
                }

                break;
        }

        return null;
    }

    private bool StepMemo(byte opcode)
    {
        switch ((char)opcode)
        {
            case 'q':
                _memo[Take(1)[0]] = _stack[^1];
                return true;
            case 'r':
                _memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = _stack[^1];
                return true;
            case '\x94': // MEMOIZE
                _memo[(uint)_memo.Count] = _stack[^1];
                return true;
            case 'h':
                _stack.Add(_memo[Take(1)[0]]);
                return true;
            case 'j':
                _stack.Add(_memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))]);
                return true;
            default:
                return false;
        }
    }

    private bool StepValue(byte opcode)
    {
        object? value;
        switch ((char)opcode)
        {
            case 'N':
                value = null;
                break;
            case '\x88':
                value = true;
                break;
            case '\x89':
                value = false;
                break;
            case 'J':
                value = (long)BinaryPrimitives.ReadInt32LittleEndian(Take(4));
                break;
            case 'K':
                value = (long)Take(1)[0];
                break;
            case 'M':
                value = (long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2));
                break;
            case '\x8a':
                value = Long(Take(Take(1)[0]));
                break;
            case 'G':
                value = BinaryPrimitives.ReadDoubleBigEndian(Take(8));
                break;
            case 'X':
                value = Text(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)));
                break;
            case '\x8c':
                value = Text(Take(1)[0]);
                break;
            default:
                return false;
        }

        _stack.Add(value);
        return true;
    }

    private bool StepCollection(byte opcode)
    {
        switch ((char)opcode)
        {
            case '}':
                _stack.Add(new Dictionary<object, object?>());
                return true;
            case ']':
                _stack.Add(new List<object?>());
                return true;
            case ')':
                _stack.Add(Array.Empty<object?>());
                return true;
            case 't':
                _stack.Add(PopToMark());
                return true;
            case '\x85' or '\x86' or '\x87': // TUPLE1 to TUPLE3
                _stack.Add(PopLast(opcode - 0x84));
                return true;
            case 'a':
                SetItems<List<object?>>([Pop()], (list, item) => list.Add(item[0]), 1);
                return true;
            case 'e':
                SetItems<List<object?>>(PopToMark(), (list, item) => list.Add(item[0]), 1);
                return true;
            case 's':
                SetItems<Dictionary<object, object?>>(PopLast(2), SetItem, 2);
                return true;
            case 'u':
                SetItems<Dictionary<object, object?>>(PopToMark(), SetItem, 2);
                return true;
            default:
                return false;
        }
    }

    private bool StepObject(byte opcode)
    {
        switch ((char)opcode)
        {
            case 'c':
                _stack.Add(Global($"{Line()}.{Line()}"));
                return true;
            case '\x93': // STACK_GLOBAL
                var names = PopLast(2);
                _stack.Add(Global($"{(string)names[0]!}.{(string)names[1]!}"));
                return true;
            case 'Q':
                _stack.Add(PickledStorage.From((object?[])Pop()!) ?? throw Damaged("a storage is described in an unknown way"));
                return true;
            case 'R':
                var arguments = (object?[])Pop()!;
                _stack.Add(Build((PickleGlobal)Pop()!, arguments));
                return true;
            case 'b':
                // The state of an ordered dictionary is torch's _metadata: version numbers of modules, nothing we need.
                Pop();
                _ = (Dictionary<object, object?>)_stack[^1]!;
                return true;
            default:
                return false;
        }
    }

    private PickleGlobal Global(string name) => PickleGlobal.Find(name)
        ?? throw new CheckpointException($"'{_path}' asks to run '{name}'; only tensors are read from torch archives. Nothing was run. Convert the file to safetensors where it is trusted.");

    private object Build(PickleGlobal global, object?[] arguments) => global.Kind switch
    {
        PickleGlobalKind.OrderedDictionary when arguments.Length == 0 => new Dictionary<object, object?>(),
        PickleGlobalKind.Tensor when arguments.Length >= 4 => new PickledTensor(
            (PickledStorage)arguments[0]!, (long)arguments[1]!, Longs(arguments[2]), Longs(arguments[3])),
        PickleGlobalKind.Parameter when arguments.Length >= 1 => (PickledTensor)arguments[0]!,
        _ => throw Damaged($"'{global.Name}' is used with {arguments.Length} arguments"),
    };

    private static long[] Longs(object? tuple) => [.. ((object?[])tuple!).Select(value => (long)value!)];

    private static void SetItem(Dictionary<object, object?> target, object?[] pair) => target[(string)pair[0]!] = pair[1];

    private void SetItems<T>(object?[] items, Action<T, object?[]> add, int size)
    {
        var target = (T)_stack[^1]!;
        foreach (var item in items.Chunk(size))
        {
            add(target, item.Length == size ? item : throw Damaged("a key has no value"));
        }
    }

    private object? Pop()
    {
        var top = _stack[^1];
        _stack.RemoveAt(_stack.Count - 1);
        return top;
    }

    private object?[] PopLast(int count)
    {
        var values = _stack.GetRange(_stack.Count - count, count).ToArray();
        _stack.RemoveRange(_stack.Count - count, count);
        return values;
    }

    private object?[] PopToMark()
    {
        var values = PopLast(_stack.Count - 1 - _stack.LastIndexOf(Mark));
        Pop();
        return values;
    }

    private ReadOnlySpan<byte> Take(long count)
    {
        if (count > _code.Length - _at)
        {
            throw Damaged("it ends in the middle");
        }

        _at += (int)count;
        return _code.AsSpan(_at - (int)count, (int)count);
    }

    private string Text(long bytes) => Encoding.UTF8.GetString(Take(bytes));

    private string Line()
    {
        var length = _code.AsSpan(_at).IndexOf((byte)'\n');
        var line = Text(length < 0 ? throw Damaged("it ends in the middle") : length);
        Take(1);
        return line;
    }

    private long Long(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 8)
        {
            throw Damaged($"a number has {bytes.Length} bytes");
        }

        Span<byte> wide = stackalloc byte[8];
        wide.Fill(bytes.Length > 0 && bytes[^1] >= 0x80 ? (byte)0xff : (byte)0);
        bytes.CopyTo(wide);
        return BinaryPrimitives.ReadInt64LittleEndian(wide);
    }

    private CheckpointException Damaged(string why, Exception? inner = null) =>
        new($"'{_path}' has a damaged pickle: {why} (byte {_at} of {_code.Length}). Fetch the file again.", inner);
}
