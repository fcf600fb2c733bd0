using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace Llava.ModelCore.Tokenization;

/// <summary>Joins bytes that arrive in parts into characters.</summary>
/// <param name="replacesEachByte">
/// Whether every byte of an invalid sequence becomes U+FFFD (SentencePiece), or one U+FFFD stands for the whole sequence (Python, Rust).
/// </param>
internal sealed class Utf8Assembler(bool replacesEachByte)
{
    private readonly List<byte> _pending = [];

    public void Append(ReadOnlySpan<byte> bytes, StringBuilder output)
    {
        _pending.AddRange(bytes);
        Release(output, isEnd: false);
    }

    public void Complete(StringBuilder output) => Release(output, isEnd: true);

    private void Release(StringBuilder output, bool isEnd)
    {
        ReadOnlySpan<byte> rest = CollectionsMarshal.AsSpan(_pending);
        Span<char> utf16 = stackalloc char[2];
        while (rest.Length > 0)
        {
            var status = Rune.DecodeFromUtf8(rest, out var rune, out var consumed);
            if (status == OperationStatus.NeedMoreData && !isEnd)
            {
                break;
            }

            if (status == OperationStatus.Done)
            {
                output.Append(utf16[..rune.EncodeToUtf16(utf16)]);
            }
            else
            {
                output.Append('\uFFFD', replacesEachByte ? consumed : 1);
            }

            rest = rest[consumed..];
        }

        _pending.RemoveRange(0, _pending.Count - rest.Length);
    }
}
