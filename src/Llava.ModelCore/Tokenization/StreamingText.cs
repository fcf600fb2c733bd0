using System.Text;

namespace Llava.ModelCore.Tokenization;

/// <summary>
/// The text of an answer while it is generated. Everything that later tokens cannot change is released at once: held back are only
/// unfinished characters and what may become a stop string. (Upstream waits for spaces; its rule 5.4 shows the same final text.)
/// Not for use by several threads.
/// </summary>
public sealed class StreamingText(TokenDecoder decoder, StopStrings stops)
{
    private readonly StringBuilder _unreleased = new();

    /// <summary>Reads tokens as the tokenizer decodes them.</summary>
    public StreamingText(ITokenizer tokenizer, StopStrings stops)
        : this(tokenizer.StartDecoding(), stops)
    {
    }

    /// <summary>Whether a stop string was found; nothing is released any more.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Takes the next token and returns the text that is safe to show, up to but without a stop string.</summary>
    public string Push(int id)
    {
        if (IsStopped)
        {
            return "";
        }

        decoder.Append(id, _unreleased);
        return Release(isEnd: false);
    }

    /// <summary>Releases the rest after the last token; an unfinished character becomes U+FFFD.</summary>
    public string Finish()
    {
        if (IsStopped)
        {
            return "";
        }

        decoder.Complete(_unreleased);
        return Release(isEnd: true);
    }

    private string Release(bool isEnd)
    {
        var text = _unreleased.ToString();
        var stop = stops.Find(text);
        IsStopped = stop >= 0;
        var length = IsStopped ? stop : isEnd ? text.Length : text.Length - stops.HeldBack(text);
        _unreleased.Remove(0, length);
        return text[..length];
    }
}
