using System.Text;

namespace Llava.ModelCore.Tokenization;

/// <summary>
/// Joins pieces into text by the rules of SentencePiece's decoder: ▁ is a space, the space that encoding put before the text is
/// taken away again, bytes are assembled into characters.
/// </summary>
internal sealed class SentencePieceText
{
    private readonly Utf8Assembler _bytes = new(replacesEachByte: true);
    private bool _startsText = true;
    private bool _tookPrefix;

    public void AppendByte(byte value, StringBuilder output)
    {
        _bytes.Append([value], output);
        _startsText = false;
    }

    public void AppendPiece(ReadOnlySpan<char> piece, StringBuilder output)
    {
        _bytes.Complete(output);
        if (_startsText && !_tookPrefix && piece is [SentencePieceBpe.Space, ..])
        {
            piece = piece[1..];
            _tookPrefix = true;
        }

        _startsText &= piece.Length == 0;
        foreach (var character in piece)
        {
            output.Append(character == SentencePieceBpe.Space ? ' ' : character);
        }
    }

    public void Complete(StringBuilder output) => _bytes.Complete(output);
}
