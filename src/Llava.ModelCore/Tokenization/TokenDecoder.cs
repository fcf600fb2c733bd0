using System.Text;

namespace Llava.ModelCore.Tokenization;

/// <summary>Turns ids into text one at a time and hands text over as soon as no later id can change it.</summary>
public abstract class TokenDecoder
{
    /// <summary>Appends to <paramref name="output"/> the text that this id settles; may be nothing.</summary>
    public abstract void Append(int id, StringBuilder output);

    /// <summary>Appends what was held back: an unfinished character becomes U+FFFD. The decoder is spent.</summary>
    public abstract void Complete(StringBuilder output);
}
