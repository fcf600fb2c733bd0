using Llava.Ledger.Keys;

namespace Llava.Ledger.Tests;

/// <summary>Keys of the HTTP API. The same on every database.</summary>
public abstract class ApiKeyTests(TestDatabase database) : LedgerFixture(database)
{
    private ApiKeys Keys => Get<ApiKeys>();

    [Fact]
    public async Task A_key_opens_with_its_secret_and_says_who_holds_it()
    {
        var (key, secret) = await Keys.CreateAsync("nightly", "archive", AccessRole.Operator, TimeSpan.FromDays(1));
        await RestartAsync();

        var verdict = await Keys.VerifyAsync(secret);

        Assert.Equal(new KeyVerdict(KeyStanding.Valid, key), verdict);
        Assert.Equal(("nightly", "archive", AccessRole.Operator, Clock.GetUtcNow().AddDays(1)), (key.Name, key.Tenant, key.Role, key.ExpiresAt!.Value));
        Assert.StartsWith(key.Prefix + "_", secret, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_two_secrets_are_alike_and_each_holds_256_random_bits()
    {
        var secrets = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            secrets.Add((await Keys.CreateAsync("k", "t", AccessRole.Viewer)).Secret);
        }

        Assert.Equal(8, secrets.Select(secret => secret[17..]).Distinct().Count());
        Assert.All(secrets, secret => Assert.Equal(32, System.Buffers.Text.Base64Url.DecodeFromChars(secret.AsSpan()[17..]).Length));
    }

    [Fact]
    public async Task A_changed_secret_opens_nothing()
    {
        var (_, secret) = await Keys.CreateAsync("k", "t", AccessRole.Admin);

        for (var i = 0; i < secret.Length; i++)
        {
            var changed = secret[..i] + (secret[i] == 'x' ? 'y' : 'x') + secret[(i + 1)..];
            Assert.Equal(KeyStanding.Unknown, (await Keys.VerifyAsync(changed)).Standing);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("llava_")]
    [InlineData("llava__")]
    [InlineData("Bearer llava_0123456789_x")]
    [InlineData("llava_0123456789_' or 1=1 --")]
    public async Task What_is_no_secret_opens_nothing(string text) => Assert.Equal(new KeyVerdict(KeyStanding.Unknown, null), await Keys.VerifyAsync(text));

    [Fact]
    public async Task The_ledger_holds_no_secret()
    {
        var (key, secret) = await Keys.CreateAsync("k", "t", AccessRole.Viewer);

        var row = await Database.ReadAsync((session, token) => session.Statement("read_api_key").Set("@id", key.Id)
            .FirstAsync(row => string.Join('|', Enumerable.Range(0, row.FieldCount).Select(row.GetValue)), token), default);

        Assert.DoesNotContain(secret[17..], row, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_is_good_until_the_moment_it_expires()
    {
        var (_, secret) = await Keys.CreateAsync("k", "t", AccessRole.Viewer, TimeSpan.FromHours(1));
        Clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(KeyStanding.Valid, (await Keys.VerifyAsync(secret)).Standing);

        Clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(KeyStanding.Expired, (await Keys.VerifyAsync(secret)).Standing);
    }

    [Fact]
    public async Task A_revoked_key_is_refused_at_once_and_the_time_of_it_stays()
    {
        var (key, secret) = await Keys.CreateAsync("k", "t", AccessRole.Viewer);
        var revoked = await Keys.RevokeAsync(key.Id);
        Clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal(Clock.GetUtcNow().AddHours(-1), revoked!.RevokedAt);
        Assert.Equal(revoked, await Keys.RevokeAsync(key.Id));
        Assert.Equal(KeyStanding.Revoked, (await Keys.VerifyAsync(secret)).Standing);
        Assert.Null(await Keys.RevokeAsync("nosuchkey0"));
    }

    [Fact]
    public async Task The_last_use_is_noted_to_the_minute()
    {
        var (key, secret) = await Keys.CreateAsync("k", "t", AccessRole.Viewer);
        var made = Clock.GetUtcNow();
        Assert.Null(Assert.Single(await Keys.ListAsync()).LastUsedAt);

        await Keys.VerifyAsync(secret);
        Clock.Advance(TimeSpan.FromSeconds(59));
        await Keys.VerifyAsync(secret);
        Assert.Equal(made, Assert.Single(await Keys.ListAsync()).LastUsedAt);

        Clock.Advance(TimeSpan.FromSeconds(1));
        await Keys.VerifyAsync(secret);
        Assert.Equal(Clock.GetUtcNow(), Assert.Single(await Keys.ListAsync()).LastUsedAt);
        Assert.Equal(key.Id, Assert.Single(await Keys.ListAsync()).Id);
    }

    [Fact]
    public async Task A_key_without_a_name_or_with_no_time_is_not_made()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Keys.CreateAsync(" ", "t", AccessRole.Viewer));
        await Assert.ThrowsAsync<ArgumentException>(() => Keys.CreateAsync("k", new string('t', 101), AccessRole.Viewer));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Keys.CreateAsync("k", "t", AccessRole.Viewer, TimeSpan.Zero));

        Assert.Empty(await Keys.ListAsync());
    }
}

public sealed class SqliteApiKeyTests() : ApiKeyTests(new SqliteFile());

public sealed class PostgresApiKeyTests() : ApiKeyTests(new PostgresTestDatabase());
