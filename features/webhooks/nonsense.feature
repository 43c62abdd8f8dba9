Feature: Webhooks that make no sense
  They are rightly signed, and still not to be acted on. The acquirer lives on, and the next one counts.

  @AP-49
  Scenario Outline: A webhook that makes no sense does no harm: <oddity>
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And Klarna sends a completed webhook <oddity>
    And the customer approves the purchase
    Then the odd webhook has no effect, while the next one has

    Examples:
      | oddity                                    |
      | about a payment request that nobody knows |
      | in a state that is no text                |
      | in a state that nobody knows              |
      | about another Partner's account           |
      | that breaks off in the middle             |
      | of two megabytes                          |
