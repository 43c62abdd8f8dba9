Feature: The initial authorization
  What the acquirer makes of the Partner's request, and of Klarna's decision.

  @AP-07 @AP-16
  Scenario: Klarna approves at once
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the amount and currency of the order reached Klarna
    And the acquirer responds that the payment is approved
    And the acquirer makes no second authorize

  @AP-17
  Scenario: Klarna declines
    Given a Partner with an order of 459.00 SEK
    And Klarna will decline the payment
    When the Partner creates the payment
    Then the acquirer responds that the payment is declined
    And the acquirer makes no second authorize

  @AP-08
  Scenario: The purchase data goes with it
    Given a Partner with an order of 1299.50 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the purchase data of the order reached Klarna

  @AP-33
  Scenario: Each call carries an idempotency key of its own
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer authorizes the payment with Klarna, finally
    And each authorize carries an idempotency key of its own

  @AP-19
  Scenario: The acquirer hears of every state change
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    Then the acquirer is subscribed to the state changes of payment requests
