namespace Llava.GpuConsumer.Training.Rows;

/// <summary>A row that can be learned from, its image not fetched yet.</summary>
/// <param name="System">Text before the first turn; null for the template's own.</param>
/// <param name="Turns">User and assistant in turns; the user begins, the assistant ends.</param>
internal sealed record TrainingRow(string? System, IReadOnlyList<RowTurn> Turns)
{
    private const string Placeholder = "<image>";

    /// <summary>Where the row's only image is; null when it has none.</summary>
    public string? Image => Turns.SelectMany(turn => turn.Images).SingleOrDefault();

    /// <summary>Puts turns in order and checks them.</summary>
    /// <exception cref="RowException">They cannot be learned from.</exception>
    public static TrainingRow Of(string? system, IEnumerable<RowTurn> said)
    {
        List<RowTurn> turns = [];
        foreach (var turn in said)
        {
            // Chats may say two things in a row; the templates only know turns.
            if (turns is [.., { IsAssistant: false } last] && !turn.IsAssistant)
            {
                turns[^1] = last with { Text = $"{last.Text}\n{turn.Text}", Images = [.. last.Images, .. turn.Images] };
            }
            else
            {
                turns.Add(turn);
            }
        }

        return turns switch
        {
            [] or [{ IsAssistant: true }, ..] => throw new RowException("invalid_messages", "must begin with a message of the user, apart from the system's."),
            [.., { IsAssistant: false }] => throw new RowException("invalid_messages", "must end with a message of the assistant, which is what is learned."),
            _ when turns.Where((turn, index) => turn.IsAssistant != (index % 2 == 1)).Any() => throw new RowException("invalid_messages", "has two messages of the assistant in a row; join them."),
            _ when turns.All(turn => !turn.IsAssistant || !turn.IsLearned) => throw new RowException("nothing_to_learn", "has no message of the assistant with a weight of 1, so nothing would be learned from it."),
            _ when turns.Sum(turn => turn.Images.Count) > 1 => throw new RowException("too_many_images", "has more than one image; the models here learn from one per row.", isSkippable: true),
            _ => new(system, turns),
        };
    }

    /// <summary>The text of a turn as the trainer wants it: the placeholder where the turn shows the image, and nowhere else.</summary>
    public static string TextOf(RowTurn turn)
    {
        var text = turn.Text;
        while (text.Contains(Placeholder, StringComparison.Ordinal))
        {
            text = text.Replace(Placeholder, "", StringComparison.Ordinal);
        }

        return turn.Images.Count == 0 ? text.Trim() : $"{Placeholder}\n{text.Trim()}".Trim();
    }
}

/// <summary>What one speaker says.</summary>
/// <param name="IsAssistant">Whether it is the model who speaks.</param>
/// <param name="Text">The words.</param>
/// <param name="Images">Where the images are.</param>
/// <param name="IsLearned">Whether the model learns these words.</param>
internal sealed record RowTurn(bool IsAssistant, string Text, IReadOnlyList<string> Images, bool IsLearned = true);
