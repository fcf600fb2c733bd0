using System.Globalization;
using Llava.Contracts.States;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.Api;

/// <summary>Values of a query string; a wrong one is told with those that would be right.</summary>
internal static class ApiQuery
{
    public static int Number(string name, string value, int least, int most) =>
        int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw Wrong(name, value, string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}"));

    public static TState Name<TState>(string name, string value, StateTable<TState> table)
        where TState : struct, Enum =>
        table.TryParse(value, out var state) ? state : throw Wrong(name, value, string.Join(", ", table.States.Select(table.WireName)));

    public static ApiException Wrong(string name, string value, string right) =>
        new(StatusCodes.Status422UnprocessableEntity, "invalid_request", $"'{name}' is '{value}'; give {right}.", name);
}
