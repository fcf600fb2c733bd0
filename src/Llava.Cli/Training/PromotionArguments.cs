using System.CommandLine;
using System.Globalization;
using Llava.Cli.Jobs;
using Llava.Contracts.Requests;

namespace Llava.Cli.Training;

/// <summary>The name that a trained model is to take over, and what it has to show before.</summary>
internal sealed class PromotionArguments
{
    private const string Answer = "answer";
    private const int LongestAnswer = 256;

    private readonly Option<string?> _name = new("--promote") { Description = "A name that stands for the new model once it has answered --evaluate well enough; jobs ask for it with --model." };

    private readonly Option<FileInfo?> _questions = new("--evaluate") { Description = "Questions with their right answers in the field 'answer', asked of the new model and of the one that the name stands for." };

    private readonly Option<string[]> _atLeast = new("--at-least") { Description = "Category and least share of right answers, such as colour=0.95; again for each." };

    private readonly Option<double> _loseAtMost = new("--lose-at-most") { Description = "Share of right answers that may be lost over all other categories together.", DefaultValueFactory = _ => 0.01 };

    private readonly Option<string[]> _again = new("--again") { Description = "A job that is asked anew of the new model once the name has moved; again for each." };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_name, _questions, _atLeast, _loseAtMost, _again])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The promotion as typed; null for none.</summary>
    /// <exception cref="UsageException">It is only half there.</exception>
    public PromotionRequest? Request(ParseResult typed, string model)
    {
        if (typed.GetValue(_name) is not { } name)
        {
            return typed.GetValue(_questions) is null ? null : throw new UsageException("--evaluate is given without --promote; name what stands for the model that answers well enough.");
        }

        var questions = typed.GetValue(_questions) ?? throw new UsageException("--promote is given without --evaluate; name a file of questions with their right answers.");
        return new()
        {
            Name = name,
            Evaluate = new()
            {
                Model = model,
                Expected = Answer,
                Source = SourceArgument.Parse(questions.FullName, null),
                Generation = new() { MaxNewTokens = LongestAnswer },
            },
            AtLeast = (typed.GetValue(_atLeast) ?? []).ToDictionary(rule => rule[..Mark(rule)], rule => double.Parse(rule[(Mark(rule) + 1)..], CultureInfo.InvariantCulture)),
            LoseAtMost = typed.GetValue(_loseAtMost),
            Again = [.. (typed.GetValue(_again) ?? []).Select(JobIds.Parse)],
        };
    }

    private static int Mark(string rule) => rule.LastIndexOf('=') is > 0 and var at && double.TryParse(rule[(at + 1)..], CultureInfo.InvariantCulture, out _)
        ? at
        : throw new UsageException($"--at-least is '{rule}'; give a category and a share, such as colour=0.95.");
}
