using Llava.ModelCore.Engine.Chats;

namespace Llava.ModelCore.Tests.Engine.Chats;

public sealed class TrimmedTextTests
{
    [Theory]
    [InlineData("  a b  c \n\n ")]
    [InlineData("\t \n")]
    [InlineData("abc")]
    [InlineData("")]
    public void However_a_text_is_cut_the_parts_are_the_trimmed_text(string text)
    {
        for (var cuts = 0; cuts < 1 << Math.Max(0, text.Length - 1); cuts++)
        {
            TrimmedText trimmed = new();
            var (shown, from) = ("", 0);
            for (var end = 1; end <= text.Length; end++)
            {
                if (end == text.Length || (cuts & (1 << (end - 1))) != 0)
                {
                    shown += trimmed.Push(text[from..end]);
                    from = end;
                }
            }

            Assert.Equal(text.Trim(), shown);
        }
    }
}
