using System.Text;
using Llava.ModelCore.Grammars;
using Llava.ModelCore.Grammars.Automata;

namespace Llava.ModelCore.Tests.Grammars;

/// <summary>Reads and writes texts of a grammar byte by byte, without any model.</summary>
internal static class Writing
{
    private const int Longest = 200_000;

    public static Automaton Automaton(Grammar grammar, int mostStates = 2048) => new(NetworkBuilder.Build(grammar, [.. Enumerable.Repeat(true, 256)]), mostStates);

    public static bool Accepts(this Automaton automaton, string text)
    {
        AutomatonState? state = automaton.Start;
        foreach (var value in Encoding.UTF8.GetBytes(text))
        {
            state = state is null ? null : automaton.Step(state, value);
        }

        return state is { Accepts: true };
    }

    /// <summary>A text of random bytes, each of which the automaton allows; it must be whole characters.</summary>
    public static string RandomText(this Automaton automaton, Random random)
    {
        List<byte> text = [];
        var state = automaton.Start;
        while (!state.Accepts || (state.CanContinue && random.Next(4) > 0))
        {
            // Up to three bytes for a character: see GrammarCases.CanBeJudged.
            var allowed = Enumerable.Range(0, 0xF0).Where(value => automaton.Step(state, (byte)value) is not null).ToArray();
            Assert.NotEmpty(allowed);
            // Text that can be read is likelier than the many bytes that begin rare characters.
            var plain = Array.FindAll(allowed, value => value < 0x80);
            var choice = plain.Length > 0 && random.Next(8) > 0 ? plain : allowed;
            var next = (byte)choice[random.Next(choice.Length)];
            text.Add(next);
            state = automaton.Step(state, next)!;
            Assert.True(text.Count < Longest, "The text does not come to an end.");
        }

        return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString([.. text]);
    }
}
